/**
 * Which calls for files of the operating system are under way: a test on a clock
 * of its own must not turn it while the real disk is at work.
 *
 * @module
 */

import { FakeClock, runReady } from "./clock.ts";

/** The functions of `Deno` with which files are read and written. */
const functions = [
  "lstat",
  "mkdir",
  "open",
  "readFile",
  "readLink",
  "readTextFile",
  "realPath",
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
  /** A clock that lets calls for files end before it is turned further. */
  readonly clock = new FakeClock(undefined, () => this.#settle());

  constructor() {
    const { readDir } = Deno;
    this.#originals.set("readDir", readDir);
    Deno.readDir = (path) => this.#countEntries(readDir(path));
    const deno = Deno as unknown as Record<string, FileFunction>;
    for (const name of functions) {
      const original = deno[name]!;
      this.#originals.set(name, original);
      deno[name] = (...args) => this.#count(original(...args));
    }
  }

  /** Each entry that is waited for is a call. */
  async *#countEntries(
    entries: AsyncIterable<Deno.DirEntry>,
  ): AsyncGenerator<Deno.DirEntry> {
    const iterator = entries[Symbol.asyncIterator]();
    for (;;) {
      const next = this.#count(iterator.next());
      const { done, value } = await next as IteratorResult<Deno.DirEntry>;
      if (done) return;
      yield value;
    }
  }

  async #settle(): Promise<void> {
    do await runReady(); while (await this.finished());
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
