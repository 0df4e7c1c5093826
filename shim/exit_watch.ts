/**
 * The order of one process' events: its exit is told after its start, once, and
 * not at all when it was never announced.
 *
 * @module
 */

/** Tells the exit of one process. */
export class ExitWatch<S> {
  /** Resolves when the exit has been told, or need not be. Never rejects. */
  readonly told: Promise<void>;
  #begun = false;
  #starting: Promise<void> = Promise.resolve();
  #silent = false;

  /**
   * @param exited Settles when the process has ended.
   * @param tell Tells it; must not throw.
   */
  constructor(exited: Promise<S>, tell: (status: S) => void) {
    this.told = exited.then(async (status) => {
      await this.#starting;
      if (!this.#silent) tell(status);
    });
  }

  /**
   * Starts the process. An exit that is seen meanwhile waits until the start has
   * been told. When the first start fails, nothing is told: its caller knows.
   *
   * @param start Starts it.
   * @param tell Tells the start; must not throw.
   */
  async start<T>(
    start: () => Promise<T>,
    tell: (result: T) => void,
  ): Promise<T> {
    // A second start is refused by the process itself, and changes nothing here.
    if (this.#begun) return await start();
    this.#begun = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#starting = promise;
    try {
      const result = await start();
      tell(result);
      return result;
    } catch (error) {
      this.#silent = true;
      throw error;
    } finally {
      resolve();
    }
  }

  /**
   * Deletes the process, after which its deletion can be told. The end of one
   * that never began is not told, unless it has been already.
   *
   * @param remove Deletes it; when that fails, a later end is told.
   * @returns What `remove` gave.
   */
  async delete<T>(remove: () => Promise<T>): Promise<T> {
    if (this.#begun) {
      const result = await remove();
      await this.told;
      return result;
    }
    this.#silent = true;
    try {
      return await remove();
    } catch (error) {
      this.#silent = false;
      throw error;
    }
  }
}
