/**
 * Time as a port, so that tests turn the clock instead of waiting.
 *
 * @module
 */

/** Source of time and of deadlines. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Resolves after a time.
   *
   * @param ms Milliseconds.
   * @param signal Ends the wait early.
   * @throws The signal's reason when it aborts first.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest time that `setTimeout` takes, 24 days; beyond, it ends at once. */
const longestTimer = 0x7fffffff;

/** The real time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    for (let left = ms;; left -= longestTimer) {
      const part = Math.min(left, longestTimer);
      await sleepWith(part, signal, setTimeout, clearTimeout);
      if (left <= longestTimer) return;
    }
  },
};

function sleepWith<T>(
  ms: number,
  signal: AbortSignal | undefined,
  set: (wake: () => void, ms: number) => T,
  clear: (timer: T) => void,
): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => {
    clear(timer);
    reject(signal?.reason);
  };
  const timer = set(() => {
    signal?.removeEventListener("abort", onAbort);
    resolve();
  }, ms);
  signal?.addEventListener("abort", onAbort, { once: true });
  return promise;
}

/**
 * Bounds a wait: runs `task` with a signal that aborts with a `TimeoutError`
 * after `ms`, or with the caller's reason.
 *
 * The promise settles at the deadline even when `task` does not listen to its
 * signal; what `task` then still does is the caller's to undo.
 *
 * @param clock Source of time.
 * @param ms Milliseconds until the deadline.
 * @param what What is waited for, for the message of the error.
 * @param task The work; it should pass its signal on.
 * @param signal The caller's own signal.
 */
export async function deadline<T>(
  clock: Clock,
  ms: number,
  what: string,
  task: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const timer = new AbortController();
  const expired = new AbortController();
  const both = signal === undefined
    ? expired.signal
    : AbortSignal.any([signal, expired.signal]);
  const watch = clock.sleep(ms, timer.signal).then(
    () =>
      expired.abort(
        new DOMException(`${what} took longer than ${ms} ms`, "TimeoutError"),
      ),
    () => {},
  );
  try {
    return await abortable(task(both), both);
  } finally {
    timer.abort();
    await watch;
  }
}

/**
 * A promise that also ends when a signal aborts. The work behind `promise` goes
 * on; its later failure is not reported.
 *
 * @throws The signal's reason.
 */
export function abortable<T>(
  promise: Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(signal.reason);
  }
  const { promise: result, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  promise.then(resolve, reject).finally(() =>
    signal.removeEventListener("abort", onAbort)
  );
  return result;
}

/**
 * A clock for tests: time stands still until {@linkcode FakeClock.advance}.
 *
 * @example Turn the clock
 * ```ts
 * import { FakeClock } from "./clock.ts";
 * const clock = new FakeClock();
 * const slept = clock.sleep(1000);
 * await clock.advance(1000);
 * await slept;
 * ```
 */
export class FakeClock implements Clock {
  #now: number;
  readonly #settle: () => Promise<void>;
  #nextId = 0;
  readonly #timers = new Map<number, { at: number; wake: () => void }>();

  /**
   * A clock that stands still until it is told.
   *
   * @param now Milliseconds since 1970 at the start.
   * @param settle Lets everything that is ready run. Default: some turns of the
   * event loop, which take milliseconds.
   */
  constructor(now = 1_700_000_000_000, settle: () => Promise<void> = runReady) {
    this.#now = now;
    this.#settle = settle;
  }

  /** How many sleeps are under way. */
  get sleepers(): number {
    return this.#timers.size;
  }

  /** The fake time. */
  now(): number {
    return this.#now;
  }

  /** Resolves when the clock has been turned by this much. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(ms, signal, (wake, delay) => {
      const id = this.#nextId++;
      this.#timers.set(id, { at: this.#now + Math.max(0, delay), wake });
      return id;
    }, (id) => {
      this.#timers.delete(id);
    });
  }

  /** Turns the clock; wakes sleepers in order and lets what they start run. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.#settle();
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end)
        .sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
      if (due === undefined) break;
      const [id, timer] = due;
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, timer.at);
      timer.wake();
      await this.#settle();
    }
    this.#now = end;
  }
}

/** Lets everything that is ready run, including some turns of the event loop. */
export async function runReady(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
  }
}
