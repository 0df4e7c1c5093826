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
   * Prepares for the deletion of the process.
   *
   * @returns What is to be awaited before the deletion is told. A process that
   * never began has no exit to tell, unless it has been told already.
   */
  async deleted(): Promise<void> {
    if (this.#begun) await this.told;
    else this.#silent = true;
  }
}
