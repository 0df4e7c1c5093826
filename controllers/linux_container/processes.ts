/**
 * The processes of one container by their exec ids.
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { limits } from "../../base/timeouts.ts";
import { ProcessController, type ProcessDependencies } from "../process/mod.ts";

/** Exec id of the init process. */
export const initExecId = "";

/** A registry; init is in it from the beginning until it is deleted. */
export class ContainerProcesses {
  /** The init process. */
  readonly init: ProcessController;
  readonly #deps: ProcessDependencies;
  readonly #containerId: string;
  readonly #byId = new Map<string, ProcessController>();

  /**
   * @param deps What processes need.
   * @param containerId Their container, as containerd and guest call it.
   */
  constructor(deps: ProcessDependencies, containerId: string) {
    this.#deps = deps;
    this.#containerId = containerId;
    this.init = this.#make(initExecId);
  }

  #make(execId: string): ProcessController {
    const process = new ProcessController(this.#deps, {
      containerId: this.#containerId,
      guestContainerId: this.#containerId,
      execId,
    });
    this.#byId.set(execId, process);
    return process;
  }

  /**
   * A further process.
   *
   * @throws {ShimError} AlreadyExists for an id that is taken, ResourceExhausted
   * when there are too many.
   */
  add(execId: string): ProcessController {
    if (this.#byId.has(execId)) {
      throw new ShimError(
        "AlreadyExists",
        `Process "${execId}" already exists in container "${this.#containerId}"`,
      );
    }
    if (this.#byId.size >= limits.processes) {
      throw new ShimError(
        "ResourceExhausted",
        `Container "${this.#containerId}" has ${limits.processes} processes already; delete some that have ended`,
      );
    }
    return this.#make(execId);
  }

  /** One of them. @throws {ShimError} NotFound. */
  get(execId: string): ProcessController {
    const process = this.#byId.get(execId);
    if (process !== undefined) return process;
    throw new ShimError(
      "NotFound",
      `Process "${execId}" not found in container "${this.#containerId}"`,
    );
  }

  /** All of them; a copy. */
  all(): Map<string, ProcessController> {
    return new Map(this.#byId);
  }

  /** All but init; a copy. */
  execs(): Map<string, ProcessController> {
    const execs = this.all();
    execs.delete(initExecId);
    return execs;
  }

  /** Takes one out. */
  remove(execId: string): void {
    this.#byId.delete(execId);
  }

  /**
   * Signals all execs; those that cannot be signalled are logged.
   *
   * @returns When those that run have been signalled. One that is just being
   * created or started is signalled after that, which may take its time.
   */
  async signalExecs(signal: number, log: Logger): Promise<void> {
    const running = [];
    for (const [execId, process] of this.execs()) {
      const isRunning = process.state === "Running";
      const signalled = process.kill(signal).catch((error) =>
        log.debug("A process could not be signalled", {
          eid: execId,
          error: messageOf(error),
        })
      );
      if (isRunning) running.push(signalled);
    }
    await Promise.all(running);
  }
}
