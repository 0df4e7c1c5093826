/**
 * The stand-in guest of a trace: it answers as the recorded one did.
 *
 * @module
 */

import { type Duplex, readFull } from "../../base/duplex.ts";
import { formatJson, type Json, type JsonObject } from "../../base/json.ts";
import {
  containerNotificationType,
  responseType,
  typeName,
} from "../../bridge/message_types.ts";
import { bridgePort } from "../../bridge/places.ts";
import {
  type ReceivedFrame,
  ScriptedPeer,
} from "../../bridge/scripted_peer.ts";
import type { FakeSockets } from "../../controllers/testing/fake_sockets.ts";
import {
  entropyPort,
  logPort,
} from "../../controllers/vm/kernel_command_line.ts";
import { objectOf, plain, textOf } from "./json.ts";
import { guestRequest } from "./trace_layout.ts";
import type { Note } from "./trace_host.ts";

/** Bytes that init asks for. */
const entropyBytes = 512;

const waitName = "WaitForProcess";

/** SIGKILL, and how a process ends by it. */
const kill = { signal: 9, end: { Result: 0, ExitCode: 137 } };

/** Texts that hold JSON, as they were on the wire. */
function packed(value: Json): Json {
  if (Array.isArray(value)) return value.map(packed);
  if (typeof value !== "object" || value === null) return value;
  const object = value as JsonObject;
  if (object.$json !== undefined) return formatJson(packed(object.$json));
  return Object.fromEntries(
    Object.entries(object).map(([name, member]) => [name, packed(member!)]),
  );
}

/** A recorded request with its answer. */
interface Exchange {
  readonly request: JsonObject;
  readonly answer: JsonObject;
}

function exchangesOf(events: readonly JsonObject[]): Exchange[] {
  const frames = events.filter(({ log }) => log === "bridge");
  return frames.filter(({ dir }) => dir === "host->guest").map((frame) => {
    const answer = frames.find(({ dir, id, name }) =>
      dir === "guest->host" && id === frame.id &&
      textOf(name).startsWith("Response")
    );
    return {
      request: guestRequest(frame),
      answer: objectOf(packed(objectOf(answer?.payload))),
    };
  });
}

/** What a request is about, without its details. */
function subject({ name, ContainerId, Request }: JsonObject): string {
  const { ResourceType, RequestType } = objectOf(Request);
  return [name, ContainerId, ResourceType, RequestType].join();
}

/** A process that runs, or has ended before anybody waited for it. */
interface Process {
  readonly streams: Duplex[];
  waiting: ReceivedFrame[];
  end: JsonObject | undefined;
}

/** See the module. */
export class TraceGuest {
  readonly #exchanges: Exchange[];
  readonly #note: Note;
  readonly #sockets: FakeSockets;
  readonly #processes = new Map<number, Process>();
  #peer: ScriptedPeer | undefined;
  #log: Duplex | undefined;

  /**
   * @param events The recording.
   * @param note Takes the frames that arrive.
   * @param sockets Where it dials.
   */
  constructor(
    events: readonly JsonObject[],
    note: Note,
    sockets: FakeSockets,
  ) {
    this.#exchanges = exchangesOf(events);
    this.#note = note;
    this.#sockets = sockets;
  }

  /** Dials the host, as init and the agent do, and serves the bridge. */
  async boot(): Promise<void> {
    const entropy = this.#sockets.dial(entropyPort);
    await readFull(entropy, new Uint8Array(entropyBytes));
    await entropy.close();
    this.#log = this.#sockets.dial(logPort);
    this.#peer = new ScriptedPeer(this.#sockets.dial(bridgePort));
    for (;;) await this.#serve(await this.#peer.receive());
  }

  async #serve(frame: ReceivedFrame): Promise<void> {
    const name = typeName(frame.type);
    const payload = plain(frame.body);
    this.#note({ log: "bridge", dir: "host->guest", name, payload });
    const request = guestRequest({ name, payload });
    if (name === waitName) {
      const process = this.#process(Number(request.ProcessId));
      process.waiting.push(frame);
      return await this.#tellEnd(process);
    }
    const recorded = this.#take(request);
    const answer = recorded ?? {};
    if (typeof answer.ProcessId === "number") {
      this.#dial(this.#process(answer.ProcessId), request);
    }
    await this.#answer(frame, { Result: 0, ...answer });
    if (recorded === undefined) await this.#obey(request);
  }

  /** What the recorded guest was not asked for has its effect nevertheless. */
  async #obey({ name, ProcessId, Options }: JsonObject): Promise<void> {
    if (name !== "SignalProcess") return;
    if (objectOf(Options).Signal !== kill.signal) return;
    await this.endProcess(Number(ProcessId), kill.end);
  }

  #answer({ type, id, body }: ReceivedFrame, answer: JsonObject) {
    const { ActivityId = "" } = body;
    const text = formatJson({ ...answer, ActivityId });
    return this.#peer!.send(responseType(type), id, text);
  }

  /** The recorded answer; undefined for a request that was not recorded. */
  #take(request: JsonObject): JsonObject | undefined {
    const text = formatJson(request);
    const same = this.#exchanges.findIndex((exchange) =>
      formatJson(exchange.request) === text
    );
    const index = same >= 0
      ? same
      : this.#exchanges.findIndex((exchange) =>
        subject(exchange.request) === subject(request)
      );
    const [found] = index < 0 ? [] : this.#exchanges.splice(index, 1);
    return found?.answer;
  }

  #process(pid: number): Process {
    const known = this.#processes.get(pid) ??
      { streams: [], waiting: [], end: undefined };
    this.#processes.set(pid, known);
    return known;
  }

  #dial(process: Process, { Settings }: JsonObject): void {
    const ports = objectOf(objectOf(Settings).VsockStdioRelaySettings);
    for (const port of Object.values(ports)) {
      process.streams.push(this.#sockets.dial(Number(port)));
    }
  }

  async #tellEnd(process: Process): Promise<void> {
    const { end, waiting } = process;
    if (end === undefined) return;
    process.waiting = [];
    for (const stream of process.streams) await stream.close();
    for (const frame of waiting) await this.#answer(frame, end);
  }

  /** A process ends. */
  async endProcess(pid: number, answer: JsonObject): Promise<void> {
    const process = this.#process(pid);
    process.end = answer;
    await this.#tellEnd(process);
  }

  /** Tells the host something. */
  async notify(payload: JsonObject): Promise<void> {
    const text = formatJson(packed(payload));
    await this.#peer?.send(containerNotificationType, 0, text);
  }

  /** Everything in it ends at once. */
  async die(): Promise<void> {
    for (const { streams } of this.#processes.values()) {
      for (const stream of streams) await stream.close();
    }
    await this.#peer?.stream.close();
    await this.#log?.close();
  }
}
