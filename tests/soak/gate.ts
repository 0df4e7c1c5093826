/**
 * A door through which many may go, or one alone.
 *
 * @module
 */

/** Lets users in side by side, except while somebody is in alone. */
export class Gate {
  #inside = 0;
  #alone: Promise<void> = Promise.resolve();
  #empty: (() => void) | undefined;
  #closed = 0;

  /** True while somebody is in alone, or waits to be. */
  get isClosed(): boolean {
    return this.#closed > 0;
  }

  /** Does something beside others. */
  async among<T>(task: () => Promise<T>): Promise<T> {
    while (this.isClosed) await this.#alone;
    this.#inside++;
    try {
      return await task();
    } finally {
      if (--this.#inside === 0) this.#empty?.();
    }
  }

  /** Does something when nobody else is in; who comes meanwhile waits. */
  async alone(task: () => Promise<void>): Promise<void> {
    const before = this.#alone;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#alone = promise;
    this.#closed++;
    try {
      await before;
      if (this.#inside > 0) {
        await new Promise<void>((empty) => this.#empty = empty);
        this.#empty = undefined;
      }
      await task();
    } finally {
      this.#closed--;
      resolve();
    }
  }
}
