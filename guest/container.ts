/**
 * One container: its states, its processes, and how it ends.
 *
 * @module
 */

import { HResult, HResultError } from "../base/hresult.ts";
import { defineStates, type State } from "../base/states.ts";
import type { Spec } from "../oci/spec.gen.ts";
import type { PodIdentity } from "./pods.ts";
import type { ProcessPipes } from "./process/pipes.ts";
import type { GuestProcess } from "./process/process.ts";
import type { OutputLog } from "./process/tee_output.ts";

/** Life cycle of a container in the guest. */
export const containerStates = defineStates("guest container", "Creating", [
  ["Creating", "create", "Created"],
  ["Creating", "exit", "Terminated"],
  ["Created", "start", "Running"],
  ["Created", "exit", "Terminated"],
  ["Running", "exit", "Terminated"],
]);

type ContainerState = State<
  "Creating" | "Created" | "Running" | "Terminated",
  "create" | "start" | "exit"
>;

/** How a container ended, as the host is told. */
export type ExitType = "UnexpectedExit" | "GracefulExit" | "ForcedExit";

/** What the host said about a container when it made it. */
export interface ContainerOptions {
  /** Its id. */
  readonly id: string;
  /** Activity of the create, which the notification repeats. */
  readonly activityId: string;
  /** Where it belongs. */
  readonly identity: PodIdentity;
  /** Folder of its configuration. */
  readonly bundle: string;
  /** Folder of its writable layer; may be empty. */
  readonly scratch: string;
  /** Its specification, changed while it is set up. */
  readonly spec: Spec;
}

const sigTerm = 15;
const sigKill = 9;

/** A container. The registry owns it from its registration to its removal. */
export class Container {
  /** What the host said. */
  readonly options: ContainerOptions;
  /** Where it is in its life. */
  readonly state: ContainerState;
  /** Root of its pod's shared files, fixed at its create. */
  sandboxRoot = "";
  /** File in which the output of its init is kept; empty without one. */
  teeLogPath = "";
  /** The same, open from the start of the init to its end. */
  teeLog: OutputLog | undefined;
  /** Id of its network namespace, in lower case; empty without one. */
  networkNamespace = "";
  /** Its first process, once created. */
  init: GuestProcess | undefined;
  /** False when the policy keeps its streams from the host. */
  allowStdio = true;
  /** Pipes of the first process, until they are attached. */
  pipes: ProcessPipes | undefined;
  /** Master of the first process's terminal, until it is attached. */
  terminal: number | undefined;
  /**
   * Aborts when the output of its init dials no host any more: it was stopped or
   * killed, or is being deleted.
   */
  readonly stopDialling = new AbortController();
  /** Further processes by id, until their exit was told. */
  readonly execs = new Map<number, GuestProcess>();
  #exitType: ExitType = "UnexpectedExit";

  /** @param options What the host said. */
  constructor(options: ContainerOptions) {
    this.options = options;
    this.state = containerStates.begin(`container "${options.id}"`);
  }

  /** Its id. */
  get id(): string {
    return this.options.id;
  }

  /** How its end is told: by the last signal that reached its init. */
  get exitType(): ExitType {
    return this.#exitType;
  }

  /**
   * A process of the container.
   *
   * @throws {HResultError} ElementNotFound.
   */
  process(pid: number): GuestProcess {
    const found = this.init?.pid === pid ? this.init : this.execs.get(pid);
    if (found !== undefined) return found;
    throw new HResultError(
      HResult.ElementNotFound,
      `Process ${pid} of container "${this.id}" not found`,
    );
  }

  /** Signals a process; the init's signal decides how the end is told. */
  signal(pid: number, signal: number): void {
    const process = this.process(pid);
    process.signal(signal);
    if (process === this.init) this.#noteSignal(signal);
  }

  /**
   * Asks the init to end, or kills it.
   *
   * @throws {HResultError} SystemAlreadyStopped when it has ended.
   */
  shutdown(force: boolean): void {
    const { init } = this;
    if (init === undefined || init.hasExited) {
      throw new HResultError(
        HResult.SystemAlreadyStopped,
        `Cannot stop container "${this.id}": it is not running`,
      );
    }
    const signal = force ? sigKill : sigTerm;
    init.signal(signal);
    this.stopDialling.abort();
    this.#noteSignal(signal);
  }

  #noteSignal(signal: number): void {
    if (signal === sigTerm) this.#exitType = "GracefulExit";
    if (signal !== sigKill) return;
    this.#exitType = "ForcedExit";
    // A host that took nothing more would hold up the news of the end.
    this.stopDialling.abort();
  }

  /** True when the end of its init ends all its processes by itself. */
  get ownsPidNamespace(): boolean {
    const namespaces = this.options.spec.linux?.namespaces ?? [];
    return namespaces.some(({ type, path }) => type === "pid" && !path);
  }
}
