/**
 * The shim's side of a recorded trace: its calls, played in their order against our
 * services over ttrpc in memory, on a host and with a guest that answer as the
 * recorded ones did.
 *
 * @module
 */

import { newShimMetrics } from "../../shim/metrics.ts";
import { noTracer } from "../../base/trace.ts";
import { setImmediate } from "node:timers";
import { FakeClock } from "../../base/clock.ts";
import { memoryPair } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
} from "../../base/json.ts";
import { silentLogger } from "../../base/log.ts";
import { PendingFiles } from "../../base/pending_files.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import type { ExitInfo } from "../../hcs/ports.ts";
import { loadRuntime } from "../../shim/load_runtime.ts";
import { diagHandlers } from "../../shim/services/diag.ts";
import { sandboxHandlers } from "../../shim/services/sandbox.ts";
import { taskHandlers } from "../../shim/services/task.ts";
import { Shim } from "../../shim/shim.ts";
import { TaskEvents } from "../../shim/task_events.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
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
import { overlaps } from "./trace_together.ts";

/** Where the bundles of all recordings are. */
const bundles = "C:\\gold\\bundles\\";

const services: readonly ServiceType[] = [Sandbox, TaskV3, ShimDiag];

/** Steps in which the clock is turned while an answer is awaited, milliseconds. */
const steps = [
  ...Array.from({ length: 20 }, () => 100),
  ...Array.from({ length: 20 }, () => 30_000),
];

/**
 * Turns of the event loop in which something goes on if it ever does: between two
 * of them all is in memory, except for files.
 */
const turns = 20;

function oneTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
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

/** True for a trace with calls of clients. */
export function hasCalls(trace: JsonObject): boolean {
  return objectsOf(trace.events).some(({ log }) => log === "ttrpc");
}

/** One shim with everything around it. */
class Play {
  /** What happened, in the layout of the recordings. */
  readonly events: JsonObject[] = [];
  readonly #recorded: readonly JsonObject[];
  readonly #folder: string;
  readonly #clock = new FakeClock(undefined, () => this.#settle());
  readonly #host: TraceHost;
  readonly #shim: Shim;
  readonly #server: TtrpcServer;
  readonly #client: TtrpcClient;
  readonly #served: Promise<void>;
  /** By their numbers, the calls with a reply; true for those that succeeded. */
  readonly #replied = new Map<number, boolean>();
  readonly #files: PendingFiles;
  #hasJustCalled = false;

  constructor(
    recorded: readonly JsonObject[],
    folder: string,
    files: PendingFiles,
  ) {
    this.#files = files;
    this.#recorded = recorded;
    this.#folder = folder;
    const note = (event: JsonObject): void => void this.events.push(event);
    this.#host = new TraceHost(recorded, note);
    const clock = this.#clock;
    const { platform } = this.#host.ports;
    const parts = {
      log: silentLogger,
      clock,
      timeouts: defaultTimeouts,
      tracer: noTracer,
      metrics: newShimMetrics(),
    };
    this.#shim = new Shim({
      runtime: loadRuntime(
        { platform, host: () => Promise.resolve(this.#host.ports) },
        { namespace: "default", ...parts },
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
      closeEndpoint: () => Promise.resolve(),
      ...parts,
    });
    this.#server = new TtrpcServer({ log: silentLogger, clock });
    this.#server.register(TaskV3, taskHandlers(this.#shim));
    this.#server.register(Sandbox, sandboxHandlers(this.#shim));
    this.#server.register(ShimDiag, diagHandlers(this.#shim));
    const [near, far] = memoryPair();
    this.#client = new TtrpcClient(near, { clock });
    this.#served = this.#server.handle(far);
  }

  /** Lets what goes on go on until it waits for time, or for the recording. */
  async #settle(): Promise<void> {
    this.#hasJustCalled = false;
    do {
      for (let turn = 0; turn < turns; turn++) await oneTurn();
    } while (await this.#files.finished());
  }

  /** Turns the clock until something is so, or for a long time. */
  async #until(isSo: () => boolean): Promise<void> {
    for (const step of steps) {
      await this.#settle();
      if (isSo()) return;
      await this.#clock.advance(step);
    }
  }

  #call({ seq, service, method, request }: JsonObject): void {
    const name = textOf(method);
    this.events.push({
      log: "ttrpc",
      kind: "call",
      seq: seq!,
      method: name,
      request: request!,
    });
    const reply = (result: JsonObject): void => {
      this.events.push({ log: "ttrpc", kind: "reply", seq: seq!, ...result });
      this.#replied.set(Number(seq), result.error === undefined);
    };
    this.#send(textOf(service), name, objectOf(request)).then(
      (response) => reply({ response: recordedMessage(response) ?? {} }),
      (error) => reply({ error: errorOf(error) }),
    );
  }

  #send(
    service: string,
    method: string,
    request: JsonObject,
  ): Promise<unknown> {
    const type = services.find(({ name }) => name === service);
    if (type === undefined) {
      const error = new ShimError("NotImplemented", `No service "${service}"`);
      return Promise.reject(error);
    }
    const own = messageOf(replaced(request, bundles, `${this.#folder}/`));
    return this.#client.call(type, method, own as Record<string, unknown>);
  }

  async #reply({ seq, error }: JsonObject): Promise<void> {
    await this.#until(() => this.#replied.has(Number(seq)));
    const call = this.#recorded.find((event) =>
      event.log === "ttrpc" && event.kind === "call" && event.seq === seq
    );
    const { method, request } = call ?? {};
    const isOnlyOurs = error !== undefined && this.#replied.get(Number(seq));
    if (method === "Create" && isOnlyOurs) {
      await this.#undo(Number(seq), textOf(objectOf(request).id));
    }
  }

  /**
   * Deletes a container that the peer did not create, so that what follows meets
   * the state that it was recorded in.
   */
  async #undo(seq: number, id: string): Promise<void> {
    this.events.push({ log: "undo", seq, id });
    let result: JsonObject | undefined;
    this.#send(TaskV3.name, "Delete", { id }).then(
      () => result = { response: {} },
      (error) => result = { error: errorOf(error) },
    );
    await this.#until(() => result !== undefined);
    await this.#settle();
    this.events.push({ log: "undone", seq, ...result });
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
      return await this.#reply(event);
    }
    const isCall = log === "ttrpc" && kind === "call";
    const isGuest = log === "bridge" && dir === "guest->host";
    if (!isCall && !isGuest && event.event === undefined) return;
    if (isCall) {
      // Calls that were sent one right after another run together.
      if (!this.#hasJustCalled) await this.#settle();
      this.#hasJustCalled = true;
      return this.#call(event);
    }
    await this.#settle();
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
    await this.#until(() => hasEnded);
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
    using files = new PendingFiles();
    const play = new Play(objectsOf(trace.events), folder, files);
    await play.run();
    const events = [...play.events];
    await play.close();
    const own = replaced(events, `${folder}/`, bundles);
    const groups = overlaps(objectsOf(trace.events));
    return layOutOwn(numberIds(own, formatJson(trace)), groups);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
