/**
 * The requests to the guest of a recorded trace, replayed against our agent with a
 * runtime in memory. The recording's guest was a stand-in that answers everything
 * with success, and our VM has no disks: what is compared is that every request has
 * its answer, in the form of the recorded one.
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
import { PendingFiles } from "../../base/pending_files.ts";
import {
  classOf,
  messageClass,
  requestTypes,
} from "../../bridge/message_types.ts";
import { ScriptedPeer } from "../../bridge/scripted_peer.ts";
import { GuestBridge } from "../../bridge/server.ts";
import { FakeVm } from "../../guest/fake_vm.ts";
import { fakeStorage } from "../../guest/storage/fake.ts";
import { objectOf, objectsOf, plain, textOf, without } from "./json.ts";

/** Milliseconds of the agent's time in which everything is answered. */
const patience = 300_000;

/** By how much its time is turned when nothing happens. */
const step = 1_000;

/** Turns of the event loop in which something goes on if it ever does. */
const turns = 30;

/** Lets what is ready run. */
function oneTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The form of an answer: what it tells, not with which values. */
function formOf(type: string, payload: JsonObject): JsonObject {
  const { Result, ActivityId, ErrorMessage, ErrorRecords } = payload;
  if (Result === 0) {
    const members = Object.entries(payload).map(([name, value]) =>
      `${name}: ${typeof value}`
    );
    return { type, members: members.sort(), activity: ActivityId ?? null };
  }
  return {
    type,
    refused: typeof ErrorMessage === "string" && Array.isArray(ErrorRecords),
    activity: ActivityId ?? null,
  };
}

/** A GUID for the name that the recording gave to a random one. */
function guidOf(name: string): string {
  const [digits = ""] = name.match(/\d+/) ?? [];
  return `00000000-0000-4000-8000-${digits.padStart(12, "0")}`;
}

/** The recorder gave workloads a host name, which either agent refuses. */
function withoutHostname(payload: JsonObject): JsonObject {
  const document = objectOf(objectOf(payload.ContainerConfig).$json);
  const spec = objectOf(document.OciSpecification);
  const type = objectOf(spec.annotations)["io.kubernetes.cri.container-type"];
  if (type !== "container") return payload;
  const OciSpecification = without(spec, "hostname");
  return {
    ...payload,
    ContainerConfig: { $json: { ...document, OciSpecification } },
  };
}

/** A payload as it was on the wire. */
function packed(value: Json): Json {
  if (Array.isArray(value)) return value.map(packed);
  if (!isJsonObject(value)) return value;
  if (value.$json !== undefined) return formatJson(packed(value.$json));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, packed(member!)]),
  );
}

interface Frame {
  readonly type: string;
  readonly name: string;
  readonly id: number;
  readonly payload: JsonObject;
}

function framesOf(trace: JsonObject, direction: string): Frame[] {
  return objectsOf(trace.events).filter(({ log, dir }) =>
    log === "bridge" && dir === direction
  ).map(({ type, name, id, payload }) => ({
    type: textOf(type),
    name: textOf(name),
    id: Number(id),
    payload: objectOf(payload),
  }));
}

/** One agent with its host. */
class Replay {
  readonly #files: PendingFiles;
  readonly #vm: FakeVm;
  readonly #bridge: GuestBridge;
  readonly #peer: ScriptedPeer;
  readonly #served: Promise<unknown>;
  readonly #answers = new Map<number, Frame>();
  /** Ids of processes: recorded → ours. */
  readonly #pids = new Map<number, number>();
  /** Our processes, and in which containers they run. */
  readonly #processes = new Map<number, string>();
  readonly #containers = new Set<string>();
  #adapters = 0;

  constructor(folder: string, files: PendingFiles) {
    this.#files = files;
    const clock = new FakeClock(undefined, oneTurn);
    const { storage } = fakeStorage(undefined, clock);
    const vm = this.#vm = new FakeVm(folder, { clock, storage });
    this.#bridge = new GuestBridge(vm.handlers, {
      log: silentLogger,
      clock,
    });
    vm.host.attach(this.#bridge);
    const [host, guest] = memoryPair();
    this.#peer = new ScriptedPeer(host);
    this.#served = this.#bridge.serve(guest);
    void this.#collect();
  }

  async #collect(): Promise<void> {
    try {
      for (;;) {
        const { type, id, body } = await this.#peer.receive();
        if (classOf(type) !== messageClass.response) continue;
        const frame = {
          type: `0x${type.toString(16)}`,
          name: "",
          id: Number(id),
        };
        const payload = plain(body) as JsonObject;
        this.#answers.set(Number(id), { ...frame, payload });
      }
    } catch {
      // The replay is over.
    }
  }

  /** Lets the agent go on until an answer is there. False when none comes. */
  async #hasAnswer(id: number): Promise<boolean> {
    for (let waited = 0; waited < patience; waited += step) {
      do {
        for (let turn = 0; turn < turns; turn++) {
          if (this.#answers.has(id)) return true;
          await oneTurn();
        }
      } while (await this.#files.finished());
      await this.#vm.clock.advance(step);
    }
    return false;
  }

  /** The text that our agent gets: with real GUIDs, our folder, our processes. */
  #textOf({ payload }: Frame): string {
    const known = this.#pids.get(Number(payload.ProcessId));
    const own = known === undefined
      ? payload
      : { ...payload, ProcessId: known };
    return formatJson(packed(withoutHostname(own)))
      .replaceAll(/<guid-(\d+)>/g, (name) => guidOf(name))
      .replaceAll(/(?<=\\?")\/run\//g, `${this.#vm.folder}/run/`);
  }

  /** Sends a request, and waits for its answer unless it waits for a process. */
  async send(request: Frame, recorded: Frame | undefined): Promise<void> {
    const { type, name, id, payload } = request;
    if (name === "Request(Create)") {
      this.#containers.add(textOf(payload.ContainerId));
    }
    this.#plug(objectOf(payload.Request));
    if (name === "Request(DeleteContainerState)") this.#endProcesses(payload);
    await this.#peer.send(Number(type), id, this.#textOf(request));
    if (name === "Request(WaitForProcess)") return;
    await this.#hasAnswer(id);
    const ours = this.#answers.get(id)?.payload.ProcessId;
    const theirs = recorded?.payload.ProcessId;
    if (typeof ours !== "number") return;
    this.#processes.set(ours, textOf(payload.ContainerId));
    if (typeof theirs === "number") this.#pids.set(theirs, ours);
  }

  /** The kernel ends the processes of a container with its init. */
  #endProcesses({ ContainerId }: JsonObject): void {
    for (const [pid, container] of this.#processes) {
      if (container === ContainerId) this.#vm.runtime.kill(pid, 9);
    }
  }

  /** The host has given the VM the adapter that a request is about. */
  #plug({ ResourceType, RequestType, Settings }: JsonObject): void {
    if (ResourceType !== "Network" || RequestType !== "Add") return;
    const id = guidOf(textOf(objectOf(Settings).ID));
    this.#vm.network.plug(id, `eth${++this.#adapters}`);
  }

  /** Ends all processes and streams, so that who waits for a process is answered. */
  async finish(requests: readonly Frame[]): Promise<void> {
    const ids = requests.map(({ id }) => id);
    let next = Math.max(...ids, 0);
    const call = async (type: number, body: JsonObject): Promise<void> => {
      await this.#peer.send(type, ++next, { ActivityId: "", ...body });
      await this.#hasAnswer(next);
    };
    for (const ContainerId of this.#containers) {
      await call(requestTypes.ShutdownForced, { ContainerId });
    }
    for (const pid of this.#processes.keys()) this.#vm.runtime.kill(pid, 9);
    for (const stream of this.#vm.ports.values()) await stream.close();
    for (const id of ids) await this.#hasAnswer(id);
    await this.#peer.stream.close();
    await this.#served;
    await this.#vm.close();
  }

  /** The form of an answer, or `none`. */
  answer(id: number): Json {
    const answer = this.#answers.get(id);
    return answer === undefined ? "none" : formOf(answer.type, answer.payload);
  }
}

/** The answers by the ids of their requests. */
function byId(trace: JsonObject): Map<number, Frame> {
  return new Map(
    framesOf(trace, "guest->host").filter(({ name }) =>
      name.startsWith("Response")
    ).map((frame) => [frame.id, frame]),
  );
}

/** Replays a trace. @returns The forms of our answers, by the ids of the requests. */
export async function replay(trace: JsonObject): Promise<JsonObject> {
  using files = new PendingFiles();
  const folder = await Deno.makeTempDir();
  const requests = framesOf(trace, "host->guest");
  const recorded = byId(trace);
  try {
    const run = new Replay(folder, files);
    for (const request of requests) {
      await run.send(request, recorded.get(request.id));
    }
    await run.finish(requests);
    return {
      answers: requests.map(({ id, name }) => ({
        name,
        answer: run.answer(id),
      })),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * The forms of the recorded answers. Where the stand-in gave none, because its VM
 * ended, or was told to fail, and where our VM refuses, the type counts alone.
 */
export function recordedReplay(
  trace: JsonObject,
  ours: JsonObject,
): JsonObject {
  const recorded = byId(trace);
  const answers = objectsOf(ours.answers);
  return {
    answers: framesOf(trace, "host->guest").map(({ id, name, type }, index) => {
      const frame = recorded.get(id);
      const mine = objectOf(answers[index]?.answer);
      const answerType = type.replace("0x1", "0x2");
      const isOurs = frame === undefined || mine.refused === true ||
        frame.payload.Result !== 0;
      if (isOurs) return { name, answer: { ...mine, type: answerType } };
      const payload = objectOf(packed(frame.payload));
      return { name, answer: formOf(frame.type, payload) };
    }),
  };
}
