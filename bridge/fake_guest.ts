/**
 * A guest for tests of what stands above the bridge: it records calls, fails or
 * waits when told to, and its processes do what the test says.
 *
 * @module
 */

import { abortable } from "../base/clock.ts";
import { type Duplex, memoryPair } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import type { GuestCall } from "./connection.ts";
import { bridgeClosed, type BridgeEnd } from "./errors.ts";
import { FakeGuestProcess } from "./fake_guest_process.ts";
import type { Guest, GuestContainer, GuestStdio } from "./guest.ts";
import type {
  Capabilities,
  ContainerDocument,
  ContainerProperties,
  ModifyRequest,
  ProcessParameters,
} from "./messages.gen.ts";

/** Names of the calls that a {@linkcode FakeGuest} records. */
export type FakeCallName =
  | "createContainer"
  | "start"
  | "execute"
  | "modify"
  | "properties"
  | "deleteContainerState"
  | "dumpStacks"
  | "signal"
  | "resize"
  | "closeStdin";

/** One recorded call. */
export interface FakeCall {
  /** What was called. */
  readonly call: FakeCallName;
  /** Its target; the null GUID is the VM itself. */
  readonly containerId: string;
  /** What was said: the document, the request, the signal, … */
  readonly argument?: unknown;
}

/** How a {@linkcode FakeGuest} behaves. */
export interface FakeGuestOptions {
  /** Default: everything that our guest can do. */
  readonly capabilities?: Capabilities;
  /** A kill ends the process with 137. Default false: the test says when. */
  readonly exitOnKill?: boolean;
  /** Runs before a call has an effect: may hold it, or throw what it throws. */
  readonly beforeCall?: (call: FakeCall) => Promise<void>;
}

const fullCapabilities: Capabilities = {
  SupportedSchemaVersions: [{ Major: 2, Minor: 1 }],
  RuntimeOsType: "Linux",
  GuestDefinedCapabilities: {
    NamespaceAddRequestSupported: true,
    SignalProcessSupported: true,
    DumpStacksSupported: true,
    DeleteContainerStateSupported: true,
  },
};

/**
 * A guest in memory.
 *
 * @example Run a process to its end
 * ```ts
 * import { FakeGuest } from "./fake_guest.ts";
 * const guest = new FakeGuest();
 * const process = await guest.execute("web", {}, {
 *   stdin: false,
 *   stdout: true,
 *   stderr: false,
 * });
 * await guest.process(process.pid).print("hello");
 * await guest.process(process.pid).exit(7);
 * console.assert(await process.exited === 7);
 * ```
 */
export class FakeGuest implements Guest {
  /** What the guest can do. */
  readonly capabilities: Capabilities;
  /** Settles at {@linkcode FakeGuest.lose}. */
  readonly ended: Promise<BridgeEnd>;
  /** All calls, in order; failed ones too. */
  readonly calls: FakeCall[] = [];
  /** All processes that were started, in order. */
  readonly processes: FakeGuestProcess[] = [];
  /** What `properties` answers, by container; `{}` for others. */
  readonly propertiesOf = new Map<string, ContainerProperties>();
  /** What it says it has not answered yet; the test sets it. */
  pending: readonly GuestCall[] = [];
  /** What `dumpStacks` answers. */
  stacks = "";

  readonly #exitOnKill: boolean;
  readonly #beforeCall: FakeGuestOptions["beforeCall"];
  readonly #settleEnded: (end: BridgeEnd) => void;
  readonly #failures: { call: FakeCallName; error: Error }[] = [];
  readonly #holds: { call: FakeCallName; released: Promise<void> }[] = [];
  readonly #containers = new Map<string, () => void>();
  #end: BridgeEnd | undefined;

  /** @param options How it behaves. */
  constructor(options: FakeGuestOptions = {}) {
    this.capabilities = options.capabilities ?? fullCapabilities;
    this.#exitOnKill = options.exitOnKill ?? false;
    this.#beforeCall = options.beforeCall;
    const { promise, resolve } = Promise.withResolvers<BridgeEnd>();
    this.ended = promise;
    this.#settleEnded = resolve;
  }

  /** The next call of this name fails; several failures are used in order. */
  failNext(call: FakeCallName, error: Error): void {
    this.#failures.push({ call, error });
  }

  /** The next call of this name waits. @returns Lets it go on. */
  holdNext(call: FakeCallName): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#holds.push({ call, released: promise });
    return resolve;
  }

  /** The process with this id. @throws {ShimError} NotFound. */
  process(pid: number): FakeGuestProcess {
    const process = this.processes.find((process) => process.pid === pid);
    if (process === undefined) {
      throw new ShimError("NotFound", `The fake guest has no process ${pid}`);
    }
    return process;
  }

  /** The recorded calls of one name. */
  callsOf(call: FakeCallName): FakeCall[] {
    return this.calls.filter((recorded) => recorded.call === call);
  }

  /** The guest reports the end of a container. */
  terminate(containerId: string): void {
    this.#containers.get(containerId)?.();
  }

  /** The bridge is lost: pending waits and further calls fail. Idempotent. */
  lose(error?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? {} : { error };
    for (const process of this.processes) process.lose(error);
    for (const terminate of this.#containers.values()) terminate();
    this.#settleEnded(this.#end);
  }

  /** Records a call, then holds and fails it as the test said. */
  async #play(
    call: FakeCallName,
    containerId: string,
    argument?: unknown,
  ): Promise<void> {
    const recorded = argument === undefined
      ? { call, containerId }
      : { call, containerId, argument };
    this.calls.push(recorded);
    if (this.#beforeCall !== undefined) await this.#beforeCall(recorded);
    const hold = take(this.#holds, (entry) => entry.call === call);
    if (hold !== undefined) {
      await Promise.race([hold.released, this.ended]);
    }
    if (this.#end !== undefined) {
      throw bridgeClosed(`Cannot call ${call} in the guest`, this.#end.error);
    }
    const failure = take(this.#failures, (entry) => entry.call === call);
    if (failure !== undefined) throw failure.error;
  }

  /** Creates a container; refuses an id that is in use. */
  async createContainer(
    id: string,
    document: ContainerDocument,
    signal?: AbortSignal,
  ): Promise<GuestContainer> {
    signal?.throwIfAborted();
    await this.#play("createContainer", id, document);
    if (this.#containers.has(id)) {
      throw new ShimError("AlreadyExists", `Container "${id}" already exists`);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#containers.set(id, resolve);
    return {
      id,
      terminated: promise,
      start: () => this.#play("start", id),
      close: () => {
        this.#containers.delete(id);
        resolve();
      },
    };
  }

  /** Starts a process; ids count up from 101. */
  async execute(
    containerId: string,
    parameters: ProcessParameters,
    stdio: GuestStdio,
    signal?: AbortSignal,
  ): Promise<FakeGuestProcess> {
    signal?.throwIfAborted();
    await this.#play("execute", containerId, { parameters, stdio });
    const pipe = (wanted: boolean): [host?: Duplex, guest?: Duplex] =>
      wanted ? memoryPair() : [];
    const process = new FakeGuestProcess({
      containerId,
      pid: 101 + this.processes.length,
      stdin: pipe(stdio.stdin),
      stdout: pipe(stdio.stdout),
      stderr: pipe(stdio.stderr),
      exitOnKill: this.#exitOnKill,
      play: (call, argument) => this.#play(call, containerId, argument),
    });
    this.processes.push(process);
    return process;
  }

  /** Records a change. */
  modify(request: ModifyRequest, containerId = nullGuid): Promise<void> {
    return this.#play("modify", containerId, request);
  }

  /** Answers what `propertiesOf` holds. */
  async properties(
    containerId: string,
    types: readonly string[],
    signal?: AbortSignal,
  ): Promise<ContainerProperties> {
    await abortable(this.#play("properties", containerId, types), signal);
    return this.propertiesOf.get(containerId) ?? {};
  }

  /** Records the call. */
  deleteContainerState(containerId: string): Promise<void> {
    return this.#play("deleteContainerState", containerId);
  }

  /** Answers `stacks`. */
  async dumpStacks(): Promise<string> {
    await this.#play("dumpStacks", nullGuid);
    return this.stacks;
  }
}

/** Removes and returns the first entry that fits. */
function take<T>(list: T[], fits: (entry: T) => boolean): T | undefined {
  const index = list.findIndex(fits);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}
