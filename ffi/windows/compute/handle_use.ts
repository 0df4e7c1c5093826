/**
 * The use of a native handle: it must not be closed while a call has it.
 *
 * @module
 */

import { closedError } from "./system_events.ts";

/** Counts the calls that have a handle, and ends its use. */
export class HandleUse {
  #underWay = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  #refusing = false;

  /** True once the handle must not be used any more. */
  get refusing(): boolean {
    return this.#refusing;
  }

  /** True while a call has the handle. */
  get busy(): boolean {
    return this.#underWay > 0;
  }

  /**
   * Runs a call that has the handle.
   *
   * @param subject Operation and id, for the message of the error.
   * @throws {ShimError} FailedPrecondition once calls are refused.
   */
  async run<T>(subject: string, call: () => Promise<T>): Promise<T> {
    if (this.#refusing) throw closedError(subject);
    this.#underWay++;
    try {
      return await call();
    } finally {
      if (--this.#underWay === 0) this.#drained?.resolve();
    }
  }

  /** Refuses further calls. */
  refuse(): void {
    this.#refusing = true;
  }

  /** Resolves when no call has the handle; further ones must be refused by then. */
  async drained(): Promise<void> {
    if (!this.busy) return;
    this.#drained ??= Promise.withResolvers();
    await this.#drained.promise;
  }
}
