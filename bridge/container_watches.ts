/**
 * Who waits for the end of which container: the guest says it once per
 * container, by a notification.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { limits } from "../base/timeouts.ts";

/** The wait for the end of one container. */
export interface ContainerWatch {
  /** Resolves at the notification or at the end of the bridge, whichever is first. */
  readonly terminated: Promise<void>;
  /**
   * Ends the interest: `terminated` resolves, the id can be watched again, and a
   * notification that is still to come is accepted. Idempotent.
   */
  forget(): void;
}

/** All waits of one connection. */
export class ContainerWatches {
  readonly #watched = new Map<string, () => void>();
  /** Ids whose notification may still come. The oldest ones are dropped. */
  readonly #forgotten = new Set<string>();

  /**
   * Registers a container; call it before the guest hears of the container.
   *
   * @throws {ShimError} AlreadyExists when the id is being watched.
   */
  watch(id: string): ContainerWatch {
    if (this.#watched.has(id)) {
      throw new ShimError(
        "AlreadyExists",
        `Cannot watch container "${id}" in the guest: it already exists there`,
      );
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#watched.set(id, resolve);
    this.#forgotten.delete(id);
    return { terminated: promise, forget: () => this.#forget(id, resolve) };
  }

  #forget(id: string, resolve: () => void): void {
    resolve();
    if (this.#watched.get(id) !== resolve) return;
    this.#watched.delete(id);
    this.#forgotten.add(id);
    if (this.#forgotten.size > limits.containers) {
      const [oldest] = this.#forgotten;
      if (oldest !== undefined) this.#forgotten.delete(oldest);
    }
  }

  /**
   * A container has ended.
   *
   * @throws {ShimError} NotFound when nobody asked for it, or it has ended before.
   */
  terminated(id: string): void {
    const resolve = this.#watched.get(id);
    if (resolve !== undefined) {
      this.#watched.delete(id);
      resolve();
    } else if (!this.#forgotten.delete(id)) {
      throw new ShimError(
        "NotFound",
        `The guest reports the end of a container that is not there: container ${id} not found`,
      );
    }
  }

  /** No notification comes any more: ends all waits. */
  end(): void {
    for (const resolve of this.#watched.values()) resolve();
    this.#watched.clear();
    this.#forgotten.clear();
  }
}
