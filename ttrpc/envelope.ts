/**
 * Whole frames of the envelope messages `ttrpc.Request` and `ttrpc.Response`.
 *
 * A payload is copied once, straight into its frame: the envelope around it is
 * two bytes and a length, so it is put together here; everything else comes
 * from the generated codecs. Fields keep the order of their numbers.
 *
 * @module
 */

import type { RpcStatus } from "./api/any.gen.ts";
import { type KeyValue, Request, Response } from "./api/envelope.gen.ts";
import { encodeFrame, FrameType, headerSize, reserveFrame } from "./frames.ts";

/** Tag of `ttrpc.Request.payload`: field 3, length-delimited. */
const requestPayloadTag = 3 << 3 | 2;

/** Tag of `ttrpc.Response.payload`: field 2, length-delimited. */
const responsePayloadTag = 2 << 3 | 2;

/** Bytes of a payload field; proto3 leaves an empty one out. */
function fieldSize(length: number): number {
  if (length === 0) return 0;
  let size = 2;
  for (let rest = length; rest > 0x7f; rest >>>= 7) size++;
  return size + length;
}

/** Writes a payload field at `at` and returns the offset behind it. */
function writeField(
  frame: Uint8Array,
  at: number,
  tag: number,
  payload: Uint8Array,
): number {
  if (payload.length === 0) return at;
  frame[at++] = tag;
  let rest = payload.length;
  for (; rest > 0x7f; rest >>>= 7) frame[at++] = rest & 0x7f | 0x80;
  frame[at++] = rest;
  frame.set(payload, at);
  return at + payload.length;
}

/**
 * The frame of a successful reply.
 *
 * @param payload Encoded response message.
 * @throws {ShimError} ResourceExhausted when the reply does not fit a frame.
 */
export function replyFrame(streamId: number, payload: Uint8Array): Uint8Array {
  const length = fieldSize(payload.length);
  const frame = reserveFrame(streamId, FrameType.Response, 0, length);
  writeField(frame, headerSize, responsePayloadTag, payload);
  return frame;
}

/** The frame of a failed reply. */
export function statusFrame(streamId: number, status: RpcStatus): Uint8Array {
  const data = Response.encode({ status });
  return encodeFrame(streamId, FrameType.Response, 0, data);
}

/** What a {@linkcode requestFrame} carries. */
export interface OutgoingRequest {
  /** Full name of the service. */
  readonly service: string;
  /** Name of the method. */
  readonly method: string;
  /** Encoded request message. */
  readonly payload: Uint8Array;
  /** Time that is left, in nanoseconds; 0 for no bound. */
  readonly timeoutNano: bigint;
  /** Metadata; keys in lower case, one entry per value. */
  readonly metadata: KeyValue[];
}

/**
 * The frame that opens a call.
 *
 * @throws {ShimError} ResourceExhausted when the request does not fit a frame.
 */
export function requestFrame(
  streamId: number,
  flags: number,
  request: OutgoingRequest,
): Uint8Array {
  const { service, method, payload, timeoutNano, metadata } = request;
  const head = Request.encode({ service, method });
  const tail = Request.encode({ timeoutNano, metadata });
  const length = head.length + fieldSize(payload.length) + tail.length;
  const frame = reserveFrame(streamId, FrameType.Request, flags, length);
  frame.set(head, headerSize);
  const at = headerSize + head.length;
  frame.set(tail, writeField(frame, at, requestPayloadTag, payload));
  return frame;
}
