/**
 * Output of a command on its way to our own.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { pump } from "../../base/pump.ts";
import type { Timeouts } from "../../base/timeouts.ts";

/** Copies one stream until it ends; starts at once. */
export class OutputCopy {
  readonly #source: Duplex;
  readonly #done: Promise<void>;
  /** Counts portions, to see whether it moves. */
  #moved = 0;
  #isWriting = false;

  /**
   * @param source Where it comes from; whoever opened it closes it.
   * @param write Where it goes. It may wait for as long as its reader likes.
   * @param onFailure Told once, of a read or write that failed.
   */
  constructor(
    source: Duplex,
    write: (bytes: Uint8Array) => Promise<void>,
    onFailure: (error: unknown) => void,
  ) {
    this.#source = source;
    this.#done = this.#copy(write, onFailure);
  }

  async #copy(
    write: (bytes: Uint8Array) => Promise<void>,
    onFailure: (error: unknown) => void,
  ): Promise<void> {
    const { ended, error } = await pump(this.#source, {
      write: async (bytes) => {
        this.#moved++;
        this.#isWriting = true;
        await write(bytes);
        this.#isWriting = false;
        this.#moved++;
      },
    });
    if (ended !== "source") onFailure(error);
  }

  /**
   * After the command has ended: waits until all its output is written. A source
   * that neither ends nor gives anything for `drainGrace`, twice, is closed.
   *
   * @param signal Ends the wait. It never rejects.
   */
  async finish(
    { clock, timeouts }: {
      readonly clock: Clock;
      readonly timeouts: Pick<Timeouts, "drainGrace">;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([over.signal, signal]);
    const ended = this.#done.then(() => over.abort());
    // Twice: a process that was stopped finds its time over before its input.
    for (let idle = 0; idle < 2 && !either.aborted; idle++) {
      const before = this.#moved;
      await clock.sleep(timeouts.drainGrace, either).catch(() => {});
      if (this.#isWriting || this.#moved !== before) idle = -1;
    }
    // The close ends a read that waits.
    if (!either.aborted) await this.#source.close();
    if (!signal.aborted) await ended;
  }
}
