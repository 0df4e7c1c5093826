/**
 * Frames of the bridge: a header of 16 bytes, then one JSON document.
 *
 * | Offset | Size | Field, little endian                      |
 * | ------ | ---- | ----------------------------------------- |
 * | 0      | 4    | message type                              |
 * | 4      | 4    | size of the whole frame, header included  |
 * | 8      | 8    | message id; a response repeats its request's |
 *
 * @module
 */

import type { Duplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";

/** Bytes of a header, and the least size of a frame. */
export const headerSize = 16;

/** One message on the wire. */
export interface Frame {
  /** Message type; `message_types.ts` tells what it means. */
  readonly type: number;
  /** Message id, 64 bit. */
  readonly id: bigint;
  /** JSON text; may be empty. */
  readonly text: string;
}

const encoder = new TextEncoder();
// A byte order mark is kept, so that the JSON parser refuses it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const lineFeed = 0x0a;

/** How a frame is written. */
export interface EncodeOptions {
  /** Bytes that the frame may have at most, with its header. */
  readonly limit: number;
  /** Hosts end a payload with a line feed, guests do not. */
  readonly lineFeed: boolean;
}

/**
 * The bytes of one frame.
 *
 * @throws {ShimError} ResourceExhausted when the frame is larger than the limit.
 *
 * @example A request without a body of its own
 * ```ts
 * import { encodeFrame } from "./frames.ts";
 * const bytes = encodeFrame(0x10100201, 7n, "{}", {
 *   limit: 1024,
 *   lineFeed: true,
 * });
 * console.assert(bytes.length === 16 + 3);
 * ```
 */
export function encodeFrame(
  type: number,
  id: bigint,
  text: string,
  options: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  const tail = options.lineFeed ? 1 : 0;
  // Nearly all text is ASCII: one buffer of the final size, written once.
  let bytes = new Uint8Array(headerSize + text.length + tail);
  const end = bytes.length - tail;
  if (
    encoder.encodeInto(text, bytes.subarray(headerSize, end)).read < text.length
  ) {
    const payload = encoder.encode(text);
    bytes = new Uint8Array(headerSize + payload.length + tail);
    bytes.set(payload, headerSize);
  }
  if (options.lineFeed) bytes[bytes.length - 1] = lineFeed;
  if (bytes.length > options.limit) {
    throw new ShimError(
      "ResourceExhausted",
      `Cannot send a bridge message of ${bytes.length} bytes: the limit is ${options.limit}`,
    );
  }
  const header = new DataView(bytes.buffer);
  header.setUint32(0, type, true);
  header.setUint32(4, bytes.length, true);
  header.setBigUint64(8, id, true);
  return bytes;
}

/** Bytes that a reader holds between frames. */
const restingCapacity = 64 * 1024;

/** Reads frames from a stream. One reader per stream. */
export class FrameReader {
  readonly #stream: Pick<Duplex, "read">;
  readonly #limit: number;
  #buffer = new Uint8Array(restingCapacity);
  #start = 0;
  #end = 0;

  /**
   * @param stream The stream; the reader reads ahead of the current frame.
   * @param limit Bytes that a frame may have at most, with its header.
   */
  constructor(stream: Pick<Duplex, "read">, limit: number) {
    this.#stream = stream;
    this.#limit = limit;
  }

  /**
   * The next frame, or undefined when the stream ended before one.
   *
   * @throws {ShimError} InvalidArgument when the header names a size that is no
   * frame's; DataLoss when the stream ends inside a frame; the stream's own
   * error. The stream cannot be read any further then.
   */
  async next(): Promise<Frame | undefined> {
    if (!await this.#fill(headerSize)) return undefined;
    const header = new DataView(this.#buffer.buffer, this.#start, headerSize);
    const type = header.getUint32(0, true);
    const size = header.getUint32(4, true);
    const id = header.getBigUint64(8, true);
    if (size < headerSize || size > this.#limit) {
      throw new ShimError(
        "InvalidArgument",
        `Invalid message size ${size} in a bridge header: it must be from ${headerSize} to ${this.#limit}`,
      );
    }
    await this.#fill(size);
    const text = decoder.decode(
      this.#buffer.subarray(this.#start + headerSize, this.#start + size),
    );
    this.#start += size;
    return { type, id, text };
  }

  /** Reads until `count` bytes are there; false at an end before the first one. */
  async #fill(count: number): Promise<boolean> {
    while (this.#end - this.#start < count) {
      if (this.#start > 0) this.#compact(count);
      // Grows with what really arrives, not with what a header promises.
      if (this.#end === this.#buffer.length) this.#grow(count);
      const n = await this.#stream.read(this.#buffer.subarray(this.#end));
      if (n === null) {
        const got = this.#end - this.#start;
        if (got === 0) return false;
        throw new ShimError(
          "DataLoss",
          `The bridge ended inside a message, after ${got} of at least ${count} bytes`,
        );
      }
      this.#end += n;
    }
    return true;
  }

  /** Moves what is left to the front, into a small buffer when it fits again. */
  #compact(count: number): void {
    const left = this.#buffer.subarray(this.#start, this.#end);
    if (
      this.#buffer.length > restingCapacity &&
      Math.max(count, left.length) <= restingCapacity
    ) {
      this.#buffer = new Uint8Array(restingCapacity);
      this.#buffer.set(left);
    } else this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }

  #grow(count: number): void {
    const capacity = Math.min(
      Math.max(count, restingCapacity),
      this.#buffer.length * 2,
    );
    const larger = new Uint8Array(capacity);
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

/**
 * Writes frames to a stream, one write per frame, in the order of the calls.
 * After the first failed write nothing more is written: the peer could not tell
 * where the next frame begins.
 */
export class FrameWriter {
  readonly #stream: Pick<Duplex, "write">;
  readonly #options: EncodeOptions;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** @param stream The stream; the writer is its only one. */
  constructor(stream: Pick<Duplex, "write">, options: EncodeOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  /** Frames that are not written yet. */
  get backlog(): number {
    return this.#waiting;
  }

  /**
   * Hands a frame over. Resolves when it is written.
   *
   * @throws {ShimError} ResourceExhausted, at once and without harm, when the
   * frame is larger than the limit.
   * @returns A promise that rejects with the first failure of the stream.
   */
  send(type: number, id: bigint, text: string): Promise<void> {
    const bytes = encodeFrame(type, id, text, this.#options);
    this.#waiting++;
    const written = this.#last.then(() => this.#stream.write(bytes));
    this.#last = written;
    written.then(
      () => this.#waiting--,
      () => this.#waiting--,
    );
    return written;
  }

  /** Resolves when everything handed over so far is written; rejects as `send`. */
  drained(): Promise<void> {
    return this.#last;
  }
}
