/**
 * One process of a container: its init, or an exec.
 *
 * @module
 */

import { abortable, type Clock, deadline } from "../../base/clock.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import { isGone } from "../../base/hresult.ts";
import { isJsonObject } from "../../base/json.ts";
import type { Logger } from "../../base/log.ts";
import { SerialQueue } from "../../base/queue.ts";
import type { State } from "../../base/states.ts";
import type { Timeouts } from "../../base/timeouts.ts";
import type { Guest, GuestProcess } from "../../bridge/guest.ts";
import type { ProcessParameters } from "../../bridge/messages.gen.ts";
import { Process } from "../../oci/spec.gen.ts";
import type { LoggingOptions } from "./logging.ts";
import { type RelayOptions, StdioRelay } from "./relay.ts";
import {
  type ExitStatus,
  notExited,
  type ProcessStatus,
  statusOf,
  unknownExit,
} from "./status.ts";
import {
  type ProcessEvent,
  type ProcessState,
  processStates,
} from "./states.ts";
import {
  type ClientStreams,
  closeUpstream,
  effectivePaths,
  noStdio,
  openUpstream,
  type StdioPaths,
  type Upstream,
} from "./stdio.ts";

/** SIGKILL. */
const sigKill = 9;

/** Exit code of a process that never ran. */
export const neverRan = 1;

/** What a {@linkcode ProcessController} needs. */
export interface ProcessDependencies {
  /** The agent of the VM. */
  readonly guest: Pick<Guest, "execute">;
  /** Opens the streams of clients. */
  readonly streams: ClientStreams;
  /** Where it tells what happens. */
  readonly log: Logger;
  /** Source of time. */
  readonly clock: Clock;
  /** Those of the drain and of logging programs. */
  readonly timeouts: Timeouts;
}

/** Which process it is. */
export interface ProcessIds {
  /** Its container, as containerd calls it. */
  readonly containerId: string;
  /** Its container, as the guest calls it. */
  readonly guestContainerId: string;
  /** Empty for init. */
  readonly execId: string;
}

/** What a process is made of. */
export interface CreateProcess {
  /** The bundle of its container. */
  readonly bundle: string;
  /** What to run; absent for init, which the container's document names. */
  readonly spec?: Process;
  /** The client's streams. */
  readonly stdio: StdioPaths;
}

function parametersOf(spec: Process | undefined): ProcessParameters {
  const json = spec === undefined ? undefined : Process.encode(spec);
  return isJsonObject(json) ? { OciProcess: json } : {};
}

/**
 * A process from its creation to its exit.
 *
 * `create`, `start`, `kill` and `delete` run one after another; `status` answers
 * at once. At the end of the process, its output has reached the client before
 * the state says so; then the client's streams are closed, then `exited`
 * resolves. It resolves once, whatever happens.
 */
export class ProcessController {
  /** How it ended. Never rejects. */
  readonly exited: Promise<ExitStatus>;

  readonly #deps: ProcessDependencies;
  readonly #ids: ProcessIds;
  /** What errors call it. */
  readonly #name: string;
  readonly #log: Logger;
  readonly #state: State<ProcessState, ProcessEvent>;
  readonly #mutations = new SerialQueue();
  readonly #settleExited: (status: ExitStatus) => void;
  #made: CreateProcess | undefined;
  #upstream: Upstream = {};
  #process: GuestProcess | undefined;
  #relay: StdioRelay | undefined;
  #exit: ExitStatus | undefined;
  #isKilled = false;
  /** True from the exit on, also while output still flows. */
  #hasExited = false;

  /**
   * A process that is not created yet.
   *
   * @param deps What it needs.
   * @param ids Which process it is.
   */
  constructor(deps: ProcessDependencies, ids: ProcessIds) {
    const { containerId, execId } = ids;
    const kind = execId === "" ? "init process" : `process "${execId}"`;
    this.#name = `${kind} of container "${containerId}"`;
    this.#deps = deps;
    this.#ids = ids;
    this.#log = deps.log.child({ cid: containerId, eid: execId });
    this.#state = processStates.begin(this.#name);
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    this.exited = promise;
    this.#settleExited = resolve;
  }

  /** Its state. */
  get state(): ProcessState {
    return this.#state.current;
  }

  /** Its id in the VM; 0 before it runs. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Whether a client has sent SIGKILL. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Everything that is known about it. */
  status(): ProcessStatus {
    return {
      containerId: this.#ids.containerId,
      execId: this.#ids.execId,
      pid: this.pid,
      status: statusOf[this.#state.current],
      bundle: this.#made?.bundle ?? "",
      stdio: this.#made?.stdio ?? noStdio,
      exitCode: this.#exit?.code ?? notExited,
      ...(this.#exit === undefined ? {} : { exitedAt: this.#exit.at }),
    };
  }

  /**
   * Opens the client's streams, or starts its logging program.
   *
   * @throws {ShimError} FailedPrecondition when it was created before, or has a
   * terminal and a path for errors; else why a stream cannot be opened, or the
   * program is not ready. It can be created again then.
   */
  create(request: CreateProcess, signal?: AbortSignal): Promise<void> {
    return this.#mutations.run(async () => {
      this.#state.require("create");
      const stdio = effectivePaths(request.stdio);
      this.#upstream = await this.#open(stdio, signal);
      this.#made = { ...request, stdio };
      this.#state.to("create");
    });
  }

  get #options(): RelayOptions & LoggingOptions {
    const { clock, timeouts } = this.#deps;
    return { log: this.#log, clock, timeouts };
  }

  /** Opens the client's streams; an error names the process. */
  async #open(paths: StdioPaths, signal?: AbortSignal): Promise<Upstream> {
    try {
      return await openUpstream(
        this.#deps.streams,
        paths,
        this.#ids,
        this.#options,
        signal,
      );
    } catch (error) {
      if (signal?.aborted || !(error instanceof ShimError)) throw error;
      const message = `Cannot create ${this.#name}: ${error.message}`;
      throw new ShimError(error.code, message, { cause: error });
    }
  }

  /**
   * Runs it in the guest.
   *
   * @returns Its id in the VM.
   * @throws {ShimError} FailedPrecondition unless Created; else what the guest
   * answered. The process is Terminated then, with exit code 1.
   */
  start(signal?: AbortSignal): Promise<number> {
    return this.#mutations.run(async () => {
      this.#state.require("start");
      const { stdin, stdout, stderr } = this.#upstream;
      const spec = this.#made?.spec;
      try {
        this.#process = await this.#deps.guest.execute(
          this.#ids.guestContainerId,
          parametersOf(spec),
          {
            stdin: stdin !== undefined,
            stdout: stdout !== undefined,
            stderr: stderr !== undefined,
          },
          signal,
        );
      } catch (error) {
        await this.#end("fail", neverRan);
        throw error;
      }
      this.#state.to("start");
      this.#watch(this.#process);
      return this.#process.pid;
    });
  }

  /**
   * Signals it. One that never ran ends at once, with exit code 1; one that has
   * ended is left alone. SIGKILL also ends the wait for a client that does not
   * take the output.
   *
   * @param signal Linux signal; a plain kill when absent.
   * @throws {ShimError} NotFound when the guest had nothing to signal.
   */
  async kill(signal?: number): Promise<void> {
    const process = await this.#mutations.run(async () => {
      if (this.#state.is("Running")) return this.#process;
      if (!this.#state.is("Terminated")) await this.#end("kill", neverRan);
      return undefined;
    });
    if (process === undefined) return;
    if (signal === sigKill) {
      this.#isKilled = true;
      void this.#relay?.hurry();
    }
    try {
      if (await process.signal(signal)) return;
    } catch (error) {
      if (isGone(error)) return; // what shall die is dead
      throw error;
    }
    if (this.#hasExited || (signal === sigKill && await this.#endsSoon())) {
      return;
    }
    throw new ShimError(
      "NotFound",
      `Process ${process.pid} of container "${this.#ids.containerId}" not found in the guest: it has ended, or its end is about to be reported`,
    );
  }

  /** It has ended in the guest; only its output held up the news. */
  async #endsSoon(): Promise<boolean> {
    const { clock, timeouts } = this.#deps;
    const what = "The end of a killed process";
    try {
      // One grace to see that the client takes nothing, one for what is left.
      await deadline(
        clock,
        2 * timeouts.drainGrace,
        what,
        (signal) => abortable(this.exited, signal),
      );
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Sets the size of its terminal, in characters.
   *
   * @throws {ShimError} FailedPrecondition unless it runs and has a terminal.
   */
  async resize(width: number, height: number): Promise<void> {
    if (!this.#state.is("Running")) {
      throw this.#state.refusal("resize the terminal of");
    }
    if (!this.#made?.stdio.terminal) {
      throw new ShimError(
        "FailedPrecondition",
        `Cannot resize the terminal of ${this.#name}: it has none`,
      );
    }
    await this.#process?.resize(width, height);
  }

  /** Ends its input once what the client sent so far has been read. */
  async closeIo(): Promise<void> {
    await this.#upstream.stdin?.closeWrite();
  }

  /** Closes the client's streams, whatever the process does. Never rejects. */
  async closeStreams(): Promise<void> {
    await closeUpstream(this.#upstream, this.#options);
  }

  /**
   * Makes it ready to be forgotten: one that was never started ends with exit
   * code 0.
   *
   * @throws {ShimError} FailedPrecondition when it runs or was never created.
   */
  delete(): Promise<void> {
    return this.#mutations.run(async () => {
      this.#state.require("delete");
      if (this.#state.is("Created")) await this.#end("delete", 0);
    });
  }

  /**
   * Ends it when it has not run yet and never will: its VM is lost, or its
   * container could not be created or is deleted. One that runs is ended by the
   * bridge.
   *
   * @param code Its exit code then; absent when it is lost.
   */
  abandon(code?: number): Promise<void> {
    return this.#mutations.run(async () => {
      if (this.#state.can("fail")) await this.#end("fail", code);
    });
  }

  /**
   * Its VM is lost: the rest of its output gets to a client that takes it at once,
   * and what has not run yet never will.
   */
  lose(): Promise<void> {
    void this.#relay?.hurry();
    return this.abandon();
  }

  /** Waits for its exit. Never rejects. */
  async #watch(process: GuestProcess): Promise<void> {
    const relay = new StdioRelay(process, this.#upstream, this.#options);
    this.#relay = relay;
    let code: number | undefined;
    try {
      code = await process.exited;
    } catch (error) {
      this.#log.warn("The exit code of a process is unknown", {
        pid: process.pid,
        error: messageOf(error),
      });
      void relay.hurry();
    }
    this.#hasExited = true;
    await relay.drained();
    await this.#end("exit", code);
    try {
      await process.close();
    } catch (error) {
      this.#log.warn("Cannot close the streams of an exited process", {
        pid: process.pid,
        error: messageOf(error),
      });
    }
  }

  /**
   * Records the end, closes the client's streams, tells who waits.
   *
   * @param code Absent when nobody has seen it.
   */
  async #end(event: ProcessEvent, code?: number): Promise<void> {
    this.#state.to(event);
    const at = this.#deps.clock.now();
    const exit = code === undefined
      ? { code: unknownExit, at, isLost: true }
      : { code: code >>> 0, at };
    this.#exit = exit;
    await this.closeStreams();
    this.#settleExited(exit);
  }
}
