/**
 * Connections that have come, and those who wait for them.
 *
 * @module
 */

import { abortable } from "../../../base/clock.ts";
import type { Duplex } from "../../../base/duplex.ts";
import { ShimError } from "../../../base/errors.ts";

/** Hands connections to those who accept, in order; none is lost to an aborted wait. */
export class AcceptQueue {
  readonly #name: string;
  readonly #come: Duplex[] = [];
  readonly #waiting: PromiseWithResolvers<Duplex>[] = [];
  #failure: Error | undefined;

  /** @param name What listens, for error messages. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Connections that nobody has taken yet. */
  get size(): number {
    return this.#come.length;
  }

  /** True while somebody waits. */
  get wanted(): boolean {
    return this.#waiting.length > 0;
  }

  /** Adds a connection; after a close it is closed. */
  push(stream: Duplex): void {
    if (this.#failure !== undefined) {
      void stream.close();
      return;
    }
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#come.push(stream);
    else waiter.resolve(stream);
  }

  /**
   * The next connection.
   *
   * @throws {ShimError} Unavailable once closed; the signal's reason.
   */
  async take(signal?: AbortSignal): Promise<Duplex> {
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    const first = this.#come.shift();
    if (first !== undefined) return first;
    const waiter = Promise.withResolvers<Duplex>();
    this.#waiting.push(waiter);
    try {
      return await abortable(waiter.promise, signal);
    } catch (error) {
      const index = this.#waiting.indexOf(waiter);
      if (index >= 0) this.#waiting.splice(index, 1);
      // It may have been served in the same turn in which it was aborted.
      else waiter.promise.then((stream) => this.push(stream), () => {});
      throw error;
    }
  }

  /**
   * Ends all waits and closes what nobody took.
   *
   * @param failure Why nothing comes any more; without one it was closed.
   */
  async close(failure?: Error): Promise<void> {
    this.#failure ??= failure ??
      new ShimError("Unavailable", `Cannot accept: ${this.#name} is closed`);
    for (const waiter of this.#waiting.splice(0)) waiter.reject(this.#failure);
    await Promise.all(this.#come.splice(0).map((stream) => stream.close()));
  }
}
