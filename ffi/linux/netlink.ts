/**
 * The frames of netlink: messages, attributes and answers as bytes. Numbers are
 * in the order of the machine, which is little endian wherever this runs.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";

/** One attribute (`struct nlattr`). */
export type NetlinkAttribute = readonly [
  type: number,
  value: Uint8Array<ArrayBuffer>,
];

/** What the kernel is asked. */
export interface NetlinkRequest {
  /** What is tried and on which thing, for the message of an error. */
  readonly what: string;
  /** `RTM_…`. */
  readonly type: number;
  /** `NLM_F_…` beside request and acknowledgement. */
  readonly flags: number;
  /** The fixed structure of this type. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** What follows it. */
  readonly attributes: readonly NetlinkAttribute[];
}

/** One message from the kernel. */
export interface NetlinkMessage {
  /** `NLMSG_ERROR` or `RTM_…`. */
  readonly type: number;
  /** `NLM_F_…`. */
  readonly flags: number;
  /** Repeats that of the request. */
  readonly sequence: number;
  /** What follows `struct nlmsghdr`. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** `linux/netlink.h`. */
export const netlinkError = 2;

const requestFlag = 0x1;
const acknowledgeFlag = 0x4;
/** The answer repeats only the head of the request. */
const cappedFlag = 0x100;
/** Attributes follow the answer. */
const answerAttributesFlag = 0x200;
const headSize = 16;
const attributeHeadSize = 4;
/** `NLMSGERR_ATTR_MSG`. */
const answerText = 1;
/** The upper two bits of an attribute's type are flags. */
const attributeTypeMask = 0x3fff;

function aligned(size: number): number {
  return (size + 3) & ~3;
}

/** A 32-bit number as the value of an attribute. */
export function uint32Bytes(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** A NUL-terminated text as the value of an attribute. */
export function textBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** Writes attributes; as the value of another one, they are nested in it. */
export function encodeAttributes(
  attributes: readonly NetlinkAttribute[],
): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const [, value] of attributes) {
    size += aligned(attributeHeadSize + value.length);
  }
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [type, value] of attributes) {
    view.setUint16(at, attributeHeadSize + value.length, true);
    view.setUint16(at + 2, type, true);
    bytes.set(value, at + attributeHeadSize);
    at += aligned(attributeHeadSize + value.length);
  }
  return bytes;
}

/** Writes a request that the kernel acknowledges. */
export function encodeRequest(
  request: NetlinkRequest,
  sequence: number,
): Uint8Array<ArrayBuffer> {
  const { type, flags, header } = request;
  const attributes = encodeAttributes(request.attributes);
  const start = headSize + aligned(header.length);
  const bytes = new Uint8Array(start + attributes.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags | requestFlag | acknowledgeFlag, true);
  view.setUint32(8, sequence, true);
  bytes.set(header, headSize);
  bytes.set(attributes, start);
  return bytes;
}

function malformed(what: string): ShimError {
  return new ShimError("DataLoss", `Cannot read netlink ${what}: wrong length`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Reads what one datagram holds.
 *
 * @throws {ShimError} DataLoss when a length is wrong.
 */
export function decodeMessages(
  bytes: Uint8Array<ArrayBuffer>,
): NetlinkMessage[] {
  const view = viewOf(bytes);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < headSize) throw malformed("message");
    const size = view.getUint32(at, true);
    if (size < headSize || size > bytes.length - at) throw malformed("message");
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      payload: bytes.subarray(at + headSize, at + size),
    });
    at += aligned(size);
  }
  return messages;
}

/**
 * Reads attributes; of several with one type the last one counts.
 *
 * @throws {ShimError} DataLoss when a length is wrong.
 */
export function decodeAttributes(
  bytes: Uint8Array<ArrayBuffer>,
): Map<number, Uint8Array<ArrayBuffer>> {
  const view = viewOf(bytes);
  const attributes = new Map<number, Uint8Array<ArrayBuffer>>();
  for (let at = 0; at < bytes.length;) {
    const left = bytes.length - at;
    const size = left < attributeHeadSize ? 0 : view.getUint16(at, true);
    if (size < attributeHeadSize || size > left) throw malformed("attribute");
    const type = view.getUint16(at + 2, true) & attributeTypeMask;
    attributes.set(type, bytes.subarray(at + attributeHeadSize, at + size));
    at += aligned(size);
  }
  return attributes;
}

/** How the kernel took a request. */
export interface NetlinkAnswer {
  /** Error number of Linux; 0 is a success. */
  readonly errno: number;
  /** The kernel's own words, if it has any. */
  readonly text?: string;
}

/**
 * Reads a message of type {@linkcode netlinkError}.
 *
 * @throws {ShimError} DataLoss when it is too short.
 */
export function decodeAnswer(message: NetlinkMessage): NetlinkAnswer {
  const { flags, payload } = message;
  if (payload.length < 4 + headSize) throw malformed("answer");
  const view = viewOf(payload);
  const errno = -view.getInt32(0, true);
  if ((flags & answerAttributesFlag) === 0) return { errno };
  const echoed = (flags & cappedFlag) === 0
    ? view.getUint32(4, true)
    : headSize;
  const rest = payload.subarray(4 + aligned(echoed));
  const text = decodeAttributes(rest).get(answerText);
  if (text === undefined) return { errno };
  const decoded = new TextDecoder().decode(text).replace(/\0.*$/s, "");
  return { errno, text: decoded };
}
