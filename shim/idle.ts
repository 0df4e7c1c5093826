/**
 * Ends a shim that nobody uses.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";

/** A timer that can be set anew and stopped. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #expired: () => void;
  #running: AbortController | undefined;

  /**
   * @param clock Source of time.
   * @param expired Called when a time set by {@linkcode IdleTimer.set} is over.
   */
  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** Sets the timer; an earlier setting counts no more. */
  set(ms: number): void {
    this.stop();
    const { signal } = this.#running = new AbortController();
    this.#clock.sleep(ms, signal).then(this.#expired, () => {});
  }

  /** Stops the timer. */
  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }
}
