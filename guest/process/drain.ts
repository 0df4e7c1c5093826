/**
 * The end of a process's output.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";

/** After the grace: a pipe that gives nothing for this long is empty. */
const emptyAfter = 50;

/**
 * Bytes that may still be read after the grace: the most that a pipe holds
 * (`/proc/sys/fs/pipe-max-size`), written before its process ended.
 */
const maxLate = 1024 * 1024;

/**
 * Reads the output of a process to its end.
 *
 * The end comes with the last process that holds the pipe. After the process
 * itself has ended, others (grandchildren) may keep the pipe for a grace; what
 * is in the pipe then is still read, however slow the reader's reader is.
 */
export class DrainingSource {
  readonly #source: Duplex;
  readonly #clock: Clock;
  #graceEnds: number | undefined;
  #late = 0;
  #reading = false;
  #timer: AbortController | undefined;

  /**
   * @param source The output; owned.
   * @param clock Time.
   */
  constructor(source: Duplex, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** Reads some bytes; null at the end of the output. */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#isOver()) await this.#source.close();
    this.#reading = true;
    this.#watch();
    try {
      const n = await this.#source.read(buffer);
      if (n !== null && this.#isLate()) this.#late += n;
      return n;
    } finally {
      this.#reading = false;
      this.#timer?.abort();
    }
  }

  /**
   * The process has ended: the output ends at the latest after the grace.
   *
   * @param grace Milliseconds.
   */
  finish(grace: number): void {
    this.#graceEnds ??= this.#clock.now() + grace;
    if (this.#reading) this.#watch();
  }

  /** Ends the output now. */
  async close(): Promise<void> {
    await this.#source.close();
  }

  #isLate(): boolean {
    return this.#graceEnds !== undefined &&
      this.#clock.now() >= this.#graceEnds;
  }

  #isOver(): boolean {
    return this.#isLate() && this.#late >= maxLate;
  }

  /** Ends a read that waits for too long. */
  #watch(): void {
    if (this.#graceEnds === undefined) return;
    const timer = this.#timer = new AbortController();
    const left = this.#graceEnds - this.#clock.now();
    this.#clock.sleep(Math.max(left, emptyAfter), timer.signal).then(
      () => this.#source.close(),
      () => {}, // the read came first
    );
  }
}
