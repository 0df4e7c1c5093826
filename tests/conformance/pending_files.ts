/**
 * Which calls for files of the operating system are under way: a replay on a
 * clock of its own must not turn it while the real disk is at work.
 *
 * @module
 */

/** The functions of `Deno` with which the shim reads and writes files. */
const functions = [
  "lstat",
  "mkdir",
  "open",
  "readFile",
  "readTextFile",
  "remove",
  "rename",
  "stat",
  "writeFile",
  "writeTextFile",
] as const;

type FileFunction = (...args: readonly unknown[]) => Promise<unknown>;

/** Counts calls for files from its making until it is disposed. */
export class PendingFiles implements Disposable {
  #pending = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  readonly #originals = new Map<string, unknown>();

  constructor() {
    const deno = Deno as unknown as Record<string, FileFunction>;
    for (const name of functions) {
      const original = deno[name]!;
      this.#originals.set(name, original);
      deno[name] = (...args) => this.#count(original(...args));
    }
  }

  async #count(call: Promise<unknown>): Promise<unknown> {
    this.#pending++;
    try {
      return await call;
    } finally {
      if (--this.#pending === 0) {
        this.#idle?.resolve();
        this.#idle = undefined;
      }
    }
  }

  /**
   * Waits until no call is under way.
   *
   * @returns True when there was one.
   */
  async finished(): Promise<boolean> {
    if (this.#pending === 0) return false;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
    return true;
  }

  /** Gives `Deno` its functions back. */
  [Symbol.dispose](): void {
    const deno = Deno as unknown as Record<string, unknown>;
    for (const [name, original] of this.#originals) deno[name] = original;
  }
}
