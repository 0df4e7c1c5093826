/**
 * The end of a shim: its VMs, the exits of their containers, the last events.
 *
 * @module
 */

import { type Clock, deadline } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Timeouts } from "../base/timeouts.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Task } from "./task.ts";

/** What is ended, and with what. */
export interface EndingParts {
  /** Its sandboxes; none comes once the end has begun. */
  readonly sandboxes: ReadonlyMap<string, Sandbox>;
  /** Its tasks. */
  readonly tasks: ReadonlyMap<string, Task>;
  /** Forwards what is queued and ends; bounded by itself. */
  readonly closeEvents: () => Promise<void>;
  /** Takes no further connection. Idempotent. */
  readonly closeEndpoint: () => Promise<void>;
  /** Log of the process. */
  readonly log: Logger;
  /** Source of time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Pick<Timeouts, "shutdown" | "exitsTold">;
}

/** Ends a shim, step by step; what goes wrong is logged. */
export class Ending {
  readonly #parts: EndingParts;
  #stopping: Promise<void> | undefined;

  /** @param parts See {@linkcode EndingParts}. */
  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /**
   * Makes room for the next shim of these ids: ends the VMs, then frees the
   * endpoint (a named pipe once its connections are closed). What takes too long
   * goes on. Never rejects.
   *
   * @param ms How long it may take.
   */
  async vacate(ms: number): Promise<void> {
    const { clock, log, closeEndpoint } = this.#parts;
    try {
      await deadline(clock, ms, "The end of the VMs", async () => {
        await this.#stopVms();
        await closeEndpoint();
      });
    } catch (error) {
      log.info("The end of the shim goes on behind its answer", {
        error: messageOf(error),
      });
    }
  }

  /** Ends everything, each step within its bound. Never rejects. */
  async finish(): Promise<void> {
    const { tasks, timeouts, closeEvents, log } = this.#parts;
    await this.#stopVms();
    // The end of a VM has ended its containers.
    const created = [...tasks.values()].filter(({ container }) =>
      container !== undefined
    );
    await this.#within(
      timeouts.exitsTold,
      "The exits of containers",
      () => Promise.all(created.map((task) => task.told())),
    );
    try {
      await closeEvents();
    } catch (error) {
      log.error("The events could not be ended", { error: messageOf(error) });
    }
  }

  /** Ends the VMs, once. */
  #stopVms(): Promise<void> {
    const { sandboxes, timeouts } = this.#parts;
    return this.#stopping ??= this.#within(
      timeouts.shutdown,
      "The end of the VMs",
      () => Promise.all([...sandboxes.values()].map((one) => this.#stop(one))),
    );
  }

  async #stop(sandbox: Sandbox): Promise<void> {
    try {
      await sandbox.ensureStopped();
    } catch (error) {
      this.#parts.log.error("A VM could not be stopped", {
        "sandbox-id": sandbox.id,
        error: messageOf(error),
      });
    }
  }

  /** Does a step within a bound. */
  async #within(
    ms: number,
    what: string,
    task: () => Promise<unknown>,
  ): Promise<void> {
    const { clock, log } = this.#parts;
    try {
      await deadline(clock, ms, what, task);
    } catch (error) {
      log.error("The shutdown is not complete", { error: messageOf(error) });
    }
  }
}
