/**
 * Tells that files of a folder have changed, by the system's own events.
 *
 * @module
 */

/** Watches some files of a folder. */
export class FolderWatch implements Disposable {
  readonly #watcher: Deno.FsWatcher;
  readonly #isWatched: (file: string) => boolean;
  /** Settles at the next change, or with false at the end; then there is a new one. */
  #next = Promise.withResolvers<boolean>();
  #isOpen = true;

  /**
   * Begins to watch.
   *
   * @param folder Its path.
   * @param isWatched Whether a file name counts.
   * @throws What the system says, for example that too many folders are watched.
   */
  constructor(folder: string, isWatched: (file: string) => boolean) {
    this.#watcher = Deno.watchFs(folder, { recursive: false });
    this.#isWatched = isWatched;
    // Looked at by who waits.
    this.#next.promise.catch(() => {});
    void this.#pump();
  }

  /**
   * Waits for a change since the last one that it told; several are told as one.
   *
   * @returns False when the watch has ended.
   * @throws What the system says while it watches.
   */
  async changed(): Promise<boolean> {
    const changed = await this.#next.promise;
    if (this.#isOpen) this.#next = Promise.withResolvers();
    return changed;
  }

  /** Ends it. Idempotent. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#watcher.close();
    this.#next.resolve(false);
  }

  async #pump(): Promise<void> {
    try {
      for await (const { kind, paths } of this.#watcher) {
        // An open or a read, our own for example, changes nothing.
        if (kind === "access") continue;
        const names = paths.map((path) => path.split(/[\\/]/).at(-1) ?? "");
        if (names.some(this.#isWatched)) this.#next.resolve(true);
      }
    } catch (error) {
      this.#next.promise.catch(() => {});
      this.#next.reject(error);
    }
  }
}
