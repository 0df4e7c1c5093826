/**
 * A stream over a handle whose reads and writes complete on the completion port.
 *
 * @module
 */

import { closedError, type Duplex } from "../../../base/duplex.ts";
import { type BufferPool, largeBuffer, smallBuffer } from "./buffer_pool.ts";
import { isEndOfStream, win32Error } from "../library/win32_error.ts";

/**
 * What a stream does with its handle. Results are as
 * {@linkcode CompletionPort.submit} gives them.
 */
export interface Transport {
  /** Name for error messages. */
  readonly name: string;
  /** Reads into native memory. */
  read(address: bigint, length: number): Promise<number>;
  /** Writes from native memory. */
  write(address: bigint, length: number): Promise<number>;
  /** Ends the outgoing direction, where the kind of handle can. */
  endWrite(): void;
  /** Asks the operations under way to end. */
  cancel(): void;
  /** Closes the handle; nothing is under way on it. */
  close(): void;
}

/** A {@linkcode Duplex} over a transport, which it owns. */
export class OverlappedStream implements Duplex {
  readonly #transport: Transport;
  readonly #buffers: BufferPool;
  #closed = false;
  #readEnds = false;
  #writeEnded = false;
  /** Size of the next read: large once a small buffer was filled. */
  #readSize = smallBuffer;
  #underWay = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param transport Its handle is attached to the completion port.
   * @param buffers Lends the native memory.
   */
  constructor(transport: Transport, buffers: BufferPool) {
    this.#transport = transport;
    this.#buffers = buffers;
  }

  /**
   * Reads at least one byte, when there is room for one; null at the end of the
   * stream.
   *
   * @throws {HResultError} What the system answered.
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#closed) return null;
    // No bytes at all would look like the end.
    if (buffer.length === 0) return 0;
    const size = Math.min(buffer.length, this.#readSize);
    const native = this.#buffers.take(size);
    this.#underWay++;
    try {
      const length = Math.min(buffer.length, native.bytes.length);
      const reading = this.#transport.read(native.address, length);
      // What is there has been read at once; for more nobody waits.
      if (this.#readEnds) this.#transport.cancel();
      const n = await reading;
      if (n > 0) {
        buffer.set(native.bytes.subarray(0, n));
        this.#adapt(n, length);
        return n;
      }
      if (n === 0 || this.#closed || isEndOfStream(-n)) return null;
      throw win32Error(-n, `Cannot read from ${this.#transport.name}`);
    } finally {
      this.#buffers.give(native);
      this.#done();
    }
  }

  /**
   * Writes all bytes.
   *
   * @throws {HResultError} What the system answered, for example ERROR_BROKEN_PIPE
   *   when the reader is gone.
   * @throws {ShimError} Unavailable after a close or an end of the direction.
   */
  async write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      this.#requireWritable();
      const left = bytes.length - sent;
      const native = this.#buffers.take(Math.min(left, largeBuffer));
      this.#underWay++;
      try {
        const length = Math.min(left, native.bytes.length);
        native.bytes.set(bytes.subarray(sent, sent + length));
        const n = await this.#transport.write(native.address, length);
        if (n <= 0) {
          this.#requireWritable();
          throw win32Error(-n, `Cannot write to ${this.#transport.name}`);
        }
        sent += n;
      } finally {
        this.#buffers.give(native);
        this.#done();
      }
    }
    if (bytes.length === 0) this.#requireWritable();
  }

  /**
   * Nothing more shall come: reads give what is there already, then null. Only for
   * streams that are not written to.
   */
  endRead(): void {
    this.#readEnds = true;
    // The number of a handle that is closed may be another object's.
    if (!this.#closed) this.#transport.cancel();
  }

  /**
   * Ends the outgoing direction.
   *
   * @throws {HResultError} What the system answered.
   */
  // deno-lint-ignore require-await -- a refusal is a rejection, not a throw
  async closeWrite(): Promise<void> {
    if (this.#closed || this.#writeEnded) return;
    this.#writeEnded = true;
    this.#transport.endWrite();
  }

  /** Ends both directions and closes the handle when nothing is under way on it. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#closed = true;
    if (this.#underWay > 0) {
      this.#drained = Promise.withResolvers();
      this.#transport.cancel();
      await this.#drained.promise;
    }
    this.#transport.close();
  }

  #requireWritable(): void {
    if (this.#closed || this.#writeEnded) {
      throw closedError(this.#transport.name);
    }
  }

  #adapt(n: number, asked: number): void {
    if (n === smallBuffer && asked === smallBuffer) {
      this.#readSize = largeBuffer;
    } else if (n < smallBuffer / 2) this.#readSize = smallBuffer;
  }

  #done(): void {
    if (--this.#underWay === 0) this.#drained?.resolve();
  }
}
