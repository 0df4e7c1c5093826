/**
 * One stream of a process in the guest: the guest dials a port of ours, once.
 *
 * @module
 */

import {
  closedError,
  type Duplex,
  type DuplexListener,
} from "../base/duplex.ts";

/**
 * A stream that is there before the guest has dialled: reads, writes and the
 * half-close wait for the dial, a close ends that wait.
 */
export class StdioChannel implements Duplex {
  readonly #abandoned = new AbortController();
  /** Undefined when the channel was closed before the guest dialled. */
  readonly #stream: Promise<Duplex | undefined>;
  #writeClosed: Promise<void> | undefined;

  /** @param listener Where the guest dials; owned, closed after the first dial. */
  constructor(listener: DuplexListener) {
    this.#stream = this.#accept(listener);
    this.#stream.catch(() => {}); // told to whoever reads or writes
  }

  async #accept(listener: DuplexListener): Promise<Duplex | undefined> {
    const { signal } = this.#abandoned;
    try {
      const stream = await listener.accept(signal);
      if (!signal.aborted) return stream;
      await stream.close();
      return undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    } finally {
      await listener.close();
    }
  }

  /** Reads; null at the end, and when the guest never dialled. */
  async read(buffer: Uint8Array): Promise<number | null> {
    const stream = await this.#stream;
    return stream === undefined ? null : await stream.read(buffer);
  }

  /** Writes. @throws {ShimError} Unavailable when the channel is closed. */
  async write(bytes: Uint8Array): Promise<void> {
    const stream = await this.#stream;
    if (stream === undefined) throw closedError("stream to the guest");
    await stream.write(bytes);
  }

  /** Ends the input of the process. Further calls give the first one's result. */
  closeWrite(): Promise<void> {
    this.#writeClosed ??= this.#stream.then((stream) => stream?.closeWrite());
    return this.#writeClosed;
  }

  /** Ends the wait for a guest that has not dialled yet; changes nothing after it has. */
  abandon(): void {
    this.#abandoned.abort();
  }

  /** Ends the channel, or the wait for the guest. Idempotent. */
  async close(): Promise<void> {
    this.abandon();
    const stream = await this.#stream.catch(() => undefined);
    await stream?.close();
  }
}
