/**
 * Recorded exchanges with the peer's guest agent, played frame by frame against
 * ours, which runs real containers in a private view of this machine.
 *
 * @module
 */

import { deadline, systemClock } from "../../base/clock.ts";
import type { Duplex, DuplexListener } from "../../base/duplex.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import {
  type ReceivedFrame,
  ScriptedPeer,
} from "../../bridge/scripted_peer.ts";
import { GuestVm, listen, readText } from "../kernel/guest_fixture.ts";
import { ourAnswer, ProcessNames, recordedAnswer } from "./guest_words.ts";
import { objectOf, objectsOf, plain, textOf } from "./json.ts";

/** A message that must not come has this long to come. */
const silence = 300;

/** The header of a frame that is longer than any may be: 0xffffffff bytes. */
const tooLong = "01 0b 10 10 ff ff ff ff 00 00 00 00 00 00 00 00";

/** An answer must come within this time. */
const patience = 10_000;

/** What a message is that answers a request which is not waited for. */
export const lateAnswer = "answer to an earlier request";

/** Where a new container has its root file system. */
function rootfsOf(request: JsonObject): string {
  const { ContainerConfig } = objectOf(request.payload);
  const document = objectOf(objectOf(ContainerConfig).$json);
  const { root } = objectOf(document.OciSpecification);
  return textOf(objectOf(root).path);
}

/** The ports on which a request expects streams. */
function portsOf(request: JsonObject): number[] {
  const { Settings } = objectOf(request.payload);
  const ports = objectOf(objectOf(Settings).VsockStdioRelaySettings);
  return Object.values(ports).filter((port) => typeof port === "number");
}

/** A process that was killed is found as long as nobody has reaped it. */
const killedTwice = "delivered, or not found";

/** The exchanges, with either answer to a signal for what was killed already. */
function withoutRaces(exchanges: readonly JsonObject[]): JsonObject[] {
  const killed = new Set<string>();
  return exchanges.map((exchange) => {
    const request = objectOf(exchange.request);
    if (request.name !== "SignalProcess") {
      if (exchange.message !== undefined) killed.clear();
      return exchange;
    }
    const { ContainerId, ProcessId, Options } = objectOf(request.payload);
    const target = `${ContainerId} ${ProcessId}`;
    const isKilled = killed.has(target);
    if ([0, 9].includes(Number(objectOf(Options).Signal ?? 9))) {
      killed.add(target);
    }
    return isKilled ? { request, response: killedTwice } : exchange;
  });
}

/** Frames that have come and were not taken. */
class Inbox {
  readonly #frames: ReceivedFrame[] = [];
  #wake = Promise.withResolvers<void>();
  #ended = false;

  constructor(peer: ScriptedPeer) {
    void this.#fill(peer);
  }

  async #fill(peer: ScriptedPeer): Promise<void> {
    try {
      for (;;) {
        this.#frames.push(await peer.receive());
        this.#wake.resolve();
      }
    } catch {
      this.#ended = true; // the agent closes the connection, or we do
      this.#wake.resolve();
    }
  }

  /** The first frame that fits, or undefined when none comes in time. */
  async take(
    fits: (frame: ReceivedFrame) => boolean,
    ms: number,
  ): Promise<ReceivedFrame | undefined> {
    const search = async (signal: AbortSignal): Promise<ReceivedFrame> => {
      for (;;) {
        const index = this.#frames.findIndex(fits);
        if (index >= 0) return this.#frames.splice(index, 1)[0]!;
        signal.throwIfAborted();
        if (this.#ended) throw new TypeError("The agent closed the connection");
        this.#wake = Promise.withResolvers();
        await this.#wake.promise;
      }
    };
    try {
      return await deadline(systemClock, ms, "The next frame", search);
    } catch {
      return undefined;
    }
  }
}

/** Reads as a host does, which closes what it has read: the exit waits for that. */
async function readToItsEnd(accepted: Promise<Duplex>): Promise<string> {
  const stream = await accepted;
  const text = await readText(stream);
  await stream.close();
  return text;
}

/** One agent, and the host that speaks to it. */
export class AgentSession {
  readonly #vm: GuestVm;
  readonly #nextConnection: () => Promise<Duplex>;
  #peer: ScriptedPeer;
  #inbox: Inbox;
  readonly #names = new ProcessNames();
  readonly #streams = new Map<number, Promise<string>>();
  readonly #listeners: DuplexListener[] = [];
  /** Ids of requests whose answers are messages. */
  readonly #late = new Set<bigint>();
  #id = 0n;

  private constructor(
    vm: GuestVm,
    stream: Duplex,
    nextConnection: () => Promise<Duplex>,
  ) {
    this.#vm = vm;
    this.#nextConnection = nextConnection;
    this.#peer = new ScriptedPeer(stream);
    this.#inbox = new Inbox(this.#peer);
  }

  /** An agent whose connection has negotiated nothing. */
  static async start(): Promise<AgentSession> {
    const vm = await GuestVm.start();
    const { stream, next } = await vm.raw();
    return new AgentSession(vm, stream, next);
  }

  /** Ends the agent and everything in its view. */
  async stop(): Promise<void> {
    for (const listener of this.#listeners) await listener.close();
    await this.#peer.stream.close();
    await this.#vm.stop();
  }

  async #prepare(request: JsonObject, response: JsonObject): Promise<void> {
    for (const port of portsOf(request)) {
      const listener = listen(`${this.#vm.folder}/${port}`);
      this.#listeners.push(listener);
      this.#streams.set(port, readToItsEnd(listener.accept()));
    }
    const isCreated = request.name === "Create" &&
      objectOf(response.payload).Result === 0;
    if (!isCreated) return;
    await Deno.mkdir(this.#vm.path(rootfsOf(request)), { recursive: true });
  }

  async #message(recorded: Json): Promise<JsonObject> {
    const isExpected = isJsonObject(recorded);
    const wait = isExpected ? patience : silence;
    const frame = await this.#inbox.take(() => true, wait);
    if (frame === undefined) return { message: "none" };
    const { type, id, body } = frame;
    const { payload } = objectOf(recorded);
    return {
      message: {
        type: `0x${type.toString(16)}`,
        id: this.#late.has(id) ? lateAnswer : Number(id),
        payload: ourAnswer(
          objectOf(this.#names.fromAgent(plain(body), payload)),
          payload,
        ),
      },
    };
  }

  async #exchange(recorded: JsonObject): Promise<JsonObject> {
    if (recorded.message !== undefined) {
      return await this.#message(recorded.message);
    }
    const request = objectOf(recorded.request);
    const response = objectOf(recorded.response);
    await this.#prepare(request, response);
    const id = ++this.#id;
    const body = this.#names.toAgent(request.payload ?? {});
    await this.#peer.send(
      Number(textOf(request.type)),
      id,
      isJsonObject(body) ? body : textOf(body),
    );
    if (recorded.async === true) {
      this.#late.add(id);
      return { request, async: true };
    }
    const frame = await this.#inbox.take((frame) => frame.id === id, patience);
    if (frame === undefined) return { request, response: "none" };
    const payload = this.#names.fromAgent(plain(frame.body), response.payload);
    return {
      request,
      response: {
        type: `0x${frame.type.toString(16)}`,
        sameId: true,
        payload: ourAnswer(objectOf(payload), response.payload),
      },
    };
  }

  /** Closes the connection; an agent that lives dials again. */
  async #reconnect(): Promise<string> {
    await this.#peer.stream.close();
    const dialled = (): Promise<Duplex> => this.#nextConnection();
    try {
      this.#peer = new ScriptedPeer(
        await deadline(systemClock, patience, "The agent's dial", dialled),
      );
    } catch {
      return "exited";
    }
    this.#inbox = new Inbox(this.#peer);
    return "still running";
  }

  async #stream(port: number): Promise<JsonObject> {
    const data = this.#streams.get(port) ?? Promise.resolve("");
    const what = `The end of the stream at port ${port}`;
    try {
      const text = await deadline(systemClock, patience, what, () => data);
      return { data: text, eof: true };
    } catch {
      return { data: "", eof: false };
    }
  }

  /** Plays a recorded case. @returns It as our agent has it. */
  async play(recorded: JsonObject): Promise<JsonObject> {
    const { exitAfterClose } = recorded;
    if (exitAfterClose !== undefined) await this.#peer.sendHex(tooLong);
    const played: JsonObject[] = [];
    for (const exchange of objectsOf(recorded.exchanges)) {
      played.push(await this.#exchange(exchange));
    }
    const exchanges = withoutRaces(played);
    if (exitAfterClose !== undefined) {
      return { exchanges, exitAfterClose: await this.#reconnect() };
    }
    if (recorded.streams === undefined) return { exchanges };
    const streams: JsonObject[] = [];
    for (const { port } of objectsOf(recorded.streams)) {
      streams.push({ port: port!, ...await this.#stream(Number(port)) });
    }
    return { exchanges, streams };
  }
}

/** A recorded case in the layout that {@linkcode AgentSession.play} gives. */
export function recordedPlay(recorded: JsonObject): JsonObject {
  const { exchanges, streams, exitAfterClose } = recorded;
  return {
    exchanges: withoutRaces(
      objectsOf(exchanges).map((exchange) => {
        const { request, response, message } = exchange;
        if (isJsonObject(message)) {
          const { type, id, payload } = message;
          return {
            message: {
              type: type!,
              id: id === 0 ? 0 : lateAnswer,
              payload: recordedAnswer(objectOf(payload)),
            },
          };
        }
        if (!isJsonObject(response)) return exchange;
        const payload = recordedAnswer(objectOf(response.payload));
        return { request: request!, response: { ...response, payload } };
      }),
    ),
    ...(streams === undefined ? {} : { streams }),
    ...(exitAfterClose === undefined ? {} : { exitAfterClose }),
  };
}
