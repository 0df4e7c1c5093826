/**
 * The shim's side of a recorded trace: its calls, played in their order against our
 * services over ttrpc in memory, on a host and with a guest that answer as the
 * recorded ones did.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { FakeClock } from "../../base/clock.ts";
import { memoryPair } from "../../base/duplex.ts";
import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
} from "../../base/json.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import type { ExitInfo } from "../../hcs/ports.ts";
import { loadRuntime } from "../../shim/load_runtime.ts";
import { sandboxHandlers } from "../../shim/services/sandbox.ts";
import { taskHandlers } from "../../shim/services/task.ts";
import { Shim } from "../../shim/shim.ts";
import { TaskEvents } from "../../shim/task_events.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { TtrpcClient } from "../../ttrpc/client.ts";
import type { ServiceType } from "../../ttrpc/message.ts";
import { TtrpcServer } from "../../ttrpc/server.ts";
import { errorOf } from "./errors.ts";
import { objectOf, objectsOf, textOf } from "./json.ts";
import { numberIds } from "./random_ids.ts";
import { TraceHost } from "./trace_host.ts";
import { layOutOwn } from "./trace_layout.ts";
import { messageOf, recordedMessage } from "./trace_messages.ts";

/** Where the bundles of all recordings are. */
const bundles = "C:\\gold\\bundles\\";

const services: readonly ServiceType[] = [Sandbox, TaskV3];

/**
 * Steps in which the clock is turned while an answer is awaited, milliseconds. At
 * first it stands: a busy machine may take long for a file.
 */
const steps = [
  ...Array.from({ length: 1_000 }, () => 0),
  ...Array.from({ length: 20 }, () => 100),
  ...Array.from({ length: 20 }, () => 30_000),
];

/** Turns of the event loop in which something goes on if it ever does. */
const turns = 20;

function oneTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A pause in which the operating system finishes with files. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

/** Replaces a part of all texts of a value. */
function replaced(value: Json, from: string, to: string): Json {
  if (typeof value === "string") return value.replaceAll(from, to);
  if (Array.isArray(value)) {
    return value.map((item) => replaced(item, from, to));
  }
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      replaced(member!, from, to),
    ]),
  );
}

/** True for a call of a service that we do not have. */
function isStrange({ log, service }: JsonObject): boolean {
  return log === "ttrpc" && service !== undefined &&
    !services.some(({ name }) => name === service);
}

/** The calls of a trace to services that we do not have. */
export function strangeCalls(trace: JsonObject): JsonObject[] {
  return objectsOf(trace.events).filter(isStrange);
}

/** A trace without the calls to services that we do not have. */
export function withoutStrange(trace: JsonObject): JsonObject {
  const left = new Set(strangeCalls(trace).map(({ seq }) => Number(seq)));
  const events = objectsOf(trace.events).filter(({ log, seq }) =>
    log !== "ttrpc" || seq === undefined || !left.has(Number(seq))
  );
  return { ...trace, events };
}

/** One shim with everything around it. */
class Play {
  /** What happened, in the layout of the recordings. */
  readonly events: JsonObject[] = [];
  readonly #recorded: readonly JsonObject[];
  readonly #folder: string;
  readonly #clock = new FakeClock(undefined, oneTurn);
  readonly #host: TraceHost;
  readonly #shim: Shim;
  readonly #server: TtrpcServer;
  readonly #client: TtrpcClient;
  readonly #served: Promise<void>;
  readonly #replied = new Set<number>();

  constructor(recorded: readonly JsonObject[], folder: string) {
    this.#recorded = recorded;
    this.#folder = folder;
    const note = (event: JsonObject): void => void this.events.push(event);
    this.#host = new TraceHost(recorded, note);
    const clock = this.#clock;
    const { platform } = this.#host.ports;
    this.#shim = new Shim({
      runtime: loadRuntime(
        { platform, host: () => Promise.resolve(this.#host.ports) },
        "default",
        silentLogger,
        clock,
        defaultTimeouts,
      ),
      options: Promise.resolve(undefined),
      events: new TaskEvents({
        publish: (topic, type, event) =>
          note({
            log: "ttrpc",
            kind: "event",
            topic,
            event: {
              decoded: recordedMessage(type.decode(type.encode(event))) ?? {},
            },
          }),
      }),
      closeEvents: () => Promise.resolve(),
      log: silentLogger,
      clock,
      timeouts: defaultTimeouts,
    });
    this.#server = new TtrpcServer({ log: silentLogger, clock });
    this.#server.register(TaskV3, taskHandlers(this.#shim));
    this.#server.register(Sandbox, sandboxHandlers(this.#shim));
    const [near, far] = memoryPair();
    this.#client = new TtrpcClient(near, { clock });
    this.#served = this.#server.handle(far);
  }

  /** Lets what goes on go on. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await oneTurn();
    await pause();
  }

  /** Waits for a reply. None is none. */
  async #awaitReply(seq: number): Promise<void> {
    for (const step of steps) {
      for (let turn = 0; turn < turns; turn++) {
        if (this.#replied.has(seq)) return;
        await oneTurn();
      }
      await pause();
      if (step > 0 && !this.#replied.has(seq)) await this.#clock.advance(step);
    }
  }

  #call({ seq, service, method, request }: JsonObject): void {
    const name = textOf(method);
    const type = services.find((type) => type.name === service)!;
    this.events.push({ log: "ttrpc", kind: "call", seq: seq!, method: name });
    const own = replaced(objectOf(request), bundles, `${this.#folder}/`);
    const reply = (result: JsonObject): void => {
      this.events.push({ log: "ttrpc", kind: "reply", seq: seq!, ...result });
      this.#replied.add(Number(seq));
    };
    this.#client.call(type, name, messageOf(own) as Record<string, unknown>)
      .then(
        (response) => reply({ response: recordedMessage(response) ?? {} }),
        (error) => reply({ error: errorOf(error) }),
      );
  }

  async #prepare({ name, value }: JsonObject): Promise<void> {
    const [, id] = /^config\.json of (.*)$/.exec(textOf(name)) ?? [];
    if (name === "hns") this.#host.prepareNetwork(objectOf(value));
    if (id === undefined) return;
    const bundle = `${this.#folder}/${id}`;
    await Deno.mkdir(bundle, { recursive: true });
    const text = typeof value === "string" ? value : formatJson(value!);
    await Deno.writeTextFile(`${bundle}/config.json`, text);
  }

  /** The guest does what it did. */
  async #playGuest({ name, id, payload }: JsonObject): Promise<void> {
    const guest = this.#host.systems.at(-1)?.guest;
    if (name === "Notify(Container)") await guest?.notify(objectOf(payload));
    if (name !== "Response(WaitForProcess)") return;
    const request = this.#recorded.find((event) =>
      event.name === "Request(WaitForProcess)" && event.id === id
    );
    const pid = Number(objectOf(request?.payload).ProcessId);
    await guest?.endProcess(pid, objectOf(payload));
  }

  async #step(event: JsonObject): Promise<void> {
    const { log, kind, dir } = event;
    if (log === "input") return await this.#prepare(event);
    if (log === "ttrpc" && kind === "reply") {
      return await this.#awaitReply(Number(event.seq));
    }
    const isCall = log === "ttrpc" && kind === "call";
    const isGuest = log === "bridge" && dir === "guest->host";
    if (!isCall && !isGuest && event.event === undefined) return;
    await this.#settle();
    if (isCall) this.#call(event);
    if (isGuest) await this.#playGuest(event);
    const system = this.#host.systems.at(-1);
    if (log === "host") {
      const data = objectOf(objectOf(event.data).$json);
      await system?.exit({
        status: Number(data.Status),
        exitType: textOf(data.ExitType) as ExitInfo["exitType"],
      });
    }
    if (log === "guest" && event.event === "guest-dies") {
      await system?.guest.die();
    }
  }

  /** Plays everything. */
  async run(): Promise<void> {
    for (const event of this.#recorded) await this.#step(event);
    await this.#settle();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    const ended = this.#shim.end("over");
    let hasEnded = false;
    ended.then(() => hasEnded = true);
    for (const step of steps) {
      if (hasEnded) break;
      await this.#settle();
      if (step > 0) await this.#clock.advance(step);
    }
    await ended;
    for (const { guest } of this.#host.systems) await guest.die();
    await this.#client.close();
    await this.#server.close();
    await this.#served;
  }
}

/**
 * Plays a trace.
 *
 * @returns What our shim did, laid out as {@linkcode layOutOwn} does it.
 */
export async function playTrace(trace: JsonObject): Promise<JsonObject> {
  const folder = await Deno.makeTempDir();
  try {
    const play = new Play(objectsOf(withoutStrange(trace).events), folder);
    await play.run();
    const events = [...play.events];
    await play.close();
    const own = replaced(events, `${folder}/`, bundles);
    return layOutOwn(numberIds(own, formatJson(trace)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
