/**
 * Records the calls to a fake, and fails or holds those that a test names.
 *
 * @module
 */

/** One recorded call. */
export interface RecordedCall {
  /** What was called. */
  readonly call: string;
  /** What was said. */
  readonly argument?: unknown;
}

/** Lets a call go on that waits. */
export interface Hold {
  (): void;
  /** Resolves when the call has been made. */
  readonly reached: Promise<void>;
}

/** The script of one fake. */
export class CallScript {
  /** All calls, in order; failed ones too. */
  readonly calls: RecordedCall[] = [];
  readonly #failures: { call: string; error: Error }[] = [];
  readonly #holds: {
    readonly call: string;
    readonly released: Promise<void>;
    readonly reach: () => void;
  }[] = [];

  /** The next call of this name fails; several failures are used in order. */
  failNext(call: string, error: Error): void {
    this.#failures.push({ call, error });
  }

  /** The next call of this name waits. @returns Lets it go on. */
  holdNext(call: string): Hold {
    const { promise: released, resolve: release } = Promise.withResolvers<
      void
    >();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    this.#holds.push({ call, released, reach });
    return Object.assign(() => release(), { reached });
  }

  /** The recorded calls of one name. */
  of(call: string): RecordedCall[] {
    return this.calls.filter((recorded) => recorded.call === call);
  }

  /** Plays one call: records it, then holds and fails it as the test said. */
  async play(
    call: string,
    argument?: unknown,
    signal?: AbortSignal,
  ): Promise<void> {
    this.calls.push(argument === undefined ? { call } : { call, argument });
    const hold = take(this.#holds, (entry) => entry.call === call);
    if (hold !== undefined) {
      hold.reach();
      const aborted = Promise.withResolvers<void>();
      const wake = (): void => aborted.resolve();
      signal?.addEventListener("abort", wake, { once: true });
      await Promise.race([hold.released, aborted.promise]);
      signal?.removeEventListener("abort", wake);
    }
    signal?.throwIfAborted();
    const failure = take(this.#failures, (entry) => entry.call === call);
    if (failure !== undefined) throw failure.error;
  }
}

/** Removes and returns the first entry that fits. */
function take<T>(list: T[], fits: (entry: T) => boolean): T | undefined {
  const index = list.findIndex(fits);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}
