/**
 * Output to a named pipe whose reader may go away and come back: containerd, when
 * it is restarted.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import { closedError, type Duplex } from "../../../base/duplex.ts";
import { messageOf, ShimError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";
import { isWin32, Win32 } from "../library/win32_error.ts";
import { largeBuffer } from "./buffer_pool.ts";

/** First pause before the pipe is dialled again, milliseconds (hcsshim: 200). */
const firstPause = 200;

/** Each pause is so much longer than the one before (hcsshim: 1.5). */
const growth = 1.5;

/** Part by which a pause varies, so that many streams do not dial at once (hcsshim: 0.5). */
const jitter = 0.5;

/** Longest pause, milliseconds (hcsshim: 60 s). */
const longestPause = 60_000;

/** What a {@linkcode ReconnectingOutput} needs. */
export interface ReconnectOptions {
  /** Name of the pipe, for messages. */
  readonly name: string;
  /** Dials the pipe. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  /** Milliseconds for which a lost reader is waited for; 0 is for ever. */
  readonly limit: number;
  /** Source of time. */
  readonly clock: Clock;
  /** Told that a reader was lost and found. */
  readonly log: Logger;
  /** 0 … 1, for the jitter. */
  readonly random?: () => number;
}

/** True when a write failed because nobody reads any more. */
function readerIsGone(error: unknown): boolean {
  return isWin32(
    error,
    Win32.NoData,
    Win32.PipeNotConnected,
    Win32.BrokenPipe,
  );
}

/**
 * Writes to a pipe, and dials it again when its reader is gone. The portion whose
 * write failed is written again, to the new reader.
 */
export class ReconnectingOutput implements Duplex {
  readonly #options: ReconnectOptions;
  readonly #closing = new AbortController();
  #stream: Duplex;

  /** @param stream Connected; this object's from now on. */
  constructor(stream: Duplex, options: ReconnectOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  /** A reader sends nothing: resolves with the end of the connection. */
  read(buffer: Uint8Array): Promise<number | null> {
    return this.#stream.read(buffer);
  }

  /**
   * Writes all bytes, to as many readers as it takes.
   *
   * @throws {ShimError} Unavailable when no reader comes back in time, and after a
   *   close.
   */
  async write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length; sent += largeBuffer) {
      const portion = bytes.subarray(sent, sent + largeBuffer);
      while (!await this.#written(portion)) await this.#reconnect();
    }
  }

  /** See {@linkcode Duplex.closeWrite}. */
  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }

  /** Closes the pipe and ends the wait for a reader. */
  close(): Promise<void> {
    this.#closing.abort(closedError(`pipe "${this.#options.name}"`));
    return this.#stream.close();
  }

  /** @returns False when the reader is gone. */
  async #written(portion: Uint8Array): Promise<boolean> {
    try {
      await this.#stream.write(portion);
      return true;
    } catch (error) {
      this.#closing.signal.throwIfAborted();
      if (readerIsGone(error)) return false;
      throw error;
    }
  }

  async #reconnect(): Promise<void> {
    const { name, dial, limit, clock, log, random = Math.random } =
      this.#options;
    const { signal } = this.#closing;
    log.info("The reader of a stream is gone; its pipe is dialled again", {
      pipe: name,
    });
    await this.#stream.close();
    const end = limit === 0 ? Infinity : clock.now() + limit;
    let pause = firstPause;
    for (;;) {
      let problem: unknown;
      try {
        const stream = await dial(signal);
        if (!signal.aborted) {
          this.#stream = stream;
          return;
        }
        await stream.close();
      } catch (error) {
        problem = error;
      }
      signal.throwIfAborted();
      const left = end - clock.now();
      if (left <= 0) {
        throw new ShimError(
          "Unavailable",
          `reached timeout while retrying dial on ${name}: ${
            messageOf(problem)
          }`,
          { cause: problem },
        );
      }
      const varied = pause * (1 + jitter * (2 * random() - 1));
      await clock.sleep(Math.min(varied, left), signal);
      pause = Math.min(pause * growth, longestPause);
    }
  }
}
