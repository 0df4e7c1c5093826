/**
 * ttrpc frames: a header of ten bytes, then data.
 *
 * ```text
 * length u32 BE (of the data) | stream id u32 BE | type u8 | flags u8 | data
 * ```
 *
 * @module
 */

import { type Duplex, readFull } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { ttrpcLimits } from "./limits.ts";

/** Bytes of a frame's header. */
export const headerSize = 10;

/** Types of frames. A receiver ignores types it does not know. */
export const FrameType = { Request: 1, Response: 2, Data: 3 } as const;

/** Bits of a frame's flags. */
export const FrameFlag = {
  /** The sender sends nothing more on this stream. */
  RemoteClosed: 0x01,
  /** On a Request: more data follows. */
  RemoteOpen: 0x02,
  /** The frame carries no message (without it, no data is an empty message). */
  NoData: 0x04,
} as const;

/** A frame as it was read. */
export interface Frame {
  /** Number of the stream; clients use odd ones. */
  readonly streamId: number;
  /** One of {@linkcode FrameType}, or a number of a later protocol. */
  readonly type: number;
  /** Bits of {@linkcode FrameFlag}. */
  readonly flags: number;
  /** Bytes of data that the header announced. */
  readonly length: number;
  /**
   * The data, which belongs to the receiver; absent when it was longer than the
   * limit and therefore discarded.
   */
  readonly data: Uint8Array | undefined;
}

/** The error of a frame that is too large, in the words of every ttrpc peer. */
export function oversizeError(
  length: number,
  limit: number = ttrpcLimits.data,
): ShimError {
  return new ShimError(
    "ResourceExhausted",
    `message length ${length} exceed maximum message size of ${limit}`,
  );
}

/**
 * Reserves a whole frame, header and data in one buffer, and writes its header.
 *
 * @param length Bytes of data; the caller puts them behind the header.
 * @returns A buffer of `headerSize + length` bytes.
 * @throws {ShimError} ResourceExhausted when the data is longer than 4 MiB.
 */
export function reserveFrame(
  streamId: number,
  type: number,
  flags: number,
  length: number,
): Uint8Array {
  if (length > ttrpcLimits.data) throw oversizeError(length);
  const frame = new Uint8Array(headerSize + length);
  frame[0] = length >>> 24;
  frame[1] = length >>> 16;
  frame[2] = length >>> 8;
  frame[3] = length;
  frame[4] = streamId >>> 24;
  frame[5] = streamId >>> 16;
  frame[6] = streamId >>> 8;
  frame[7] = streamId;
  frame[8] = type;
  frame[9] = flags;
  return frame;
}

/**
 * Makes a whole frame.
 *
 * @example A reply without data on stream 1
 * ```ts
 * import { encodeFrame, FrameType } from "./frames.ts";
 * const frame = encodeFrame(1, FrameType.Response, 0, new Uint8Array());
 * console.assert(frame.toHex() === "00000000000000010200");
 * ```
 *
 * @throws {ShimError} ResourceExhausted when the data is longer than 4 MiB.
 */
export function encodeFrame(
  streamId: number,
  type: number,
  flags: number,
  data: Uint8Array,
): Uint8Array {
  const frame = reserveFrame(streamId, type, flags, data.length);
  frame.set(data, headerSize);
  return frame;
}

/** Bytes read from the stream at once; most requests are far smaller. */
const readSize = 16 * 1024;

/**
 * Cuts a stream of bytes into frames. Small frames cost one read for many and
 * one copy each; large ones are read straight into their own buffer.
 */
export class FrameReader {
  readonly #stream: Pick<Duplex, "read">;
  readonly #limit: number;
  readonly #buffer = new Uint8Array(readSize);
  #start = 0;
  #end = 0;

  /**
   * @param stream What is read; nobody else may read it.
   * @param limit Longest data; longer data is discarded, see {@linkcode Frame}.
   */
  constructor(
    stream: Pick<Duplex, "read">,
    limit: number = ttrpcLimits.data,
  ) {
    this.#stream = stream;
    this.#limit = limit;
  }

  /**
   * Reads the next frame.
   *
   * @returns Null when the stream ended between two frames.
   * @throws {ShimError} DataLoss when it ended within one.
   */
  async next(): Promise<Frame | null> {
    while (this.#end - this.#start < headerSize) {
      if (await this.#fill()) continue;
      const rest = this.#end - this.#start;
      if (rest === 0) return null;
      throw new ShimError(
        "DataLoss",
        `Stream ended after ${rest} of ${headerSize} bytes of a frame header`,
      );
    }
    const header = this.#buffer;
    const at = this.#start;
    const length = this.#u32(at);
    const streamId = this.#u32(at + 4);
    const type = header[at + 8]!;
    const flags = header[at + 9]!;
    this.#start += headerSize;
    const data = length > this.#limit
      ? await this.#discard(length)
      : await this.#take(length);
    return { streamId, type, flags, length, data };
  }

  #u32(at: number): number {
    const b = this.#buffer;
    return (b[at]! * 0x1000000) +
      ((b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!);
  }

  /** Reads more bytes behind those that wait; false at the end of the stream. */
  async #fill(): Promise<boolean> {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    const n = await this.#stream.read(this.#buffer.subarray(this.#end));
    this.#end += n ?? 0;
    return n !== null;
  }

  async #take(length: number): Promise<Uint8Array> {
    const buffered = Math.min(length, this.#end - this.#start);
    const from = this.#buffer.subarray(this.#start, this.#start + buffered);
    this.#start += buffered;
    if (buffered === length) return from.slice();
    const data = new Uint8Array(length);
    data.set(from);
    if (!await readFull(this.#stream, data.subarray(buffered))) {
      throw truncated(buffered, length);
    }
    return data;
  }

  async #discard(length: number): Promise<undefined> {
    let left = length;
    for (;;) {
      const n = Math.min(left, this.#end - this.#start);
      this.#start += n;
      left -= n;
      if (left === 0) return undefined;
      if (!await this.#fill()) throw truncated(length - left, length);
    }
  }
}

function truncated(got: number, length: number): ShimError {
  return new ShimError(
    "DataLoss",
    `Stream ended after ${got} of ${length} bytes of a frame's data`,
  );
}
