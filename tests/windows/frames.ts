/**
 * The frames between the fake DLLs and the forwarder, as `native/forward.h`
 * describes them.
 *
 * @module
 */

import { type Duplex, readFull } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";

const headerSize = 36;
const noText = 0xffff_ffff;
const limit = 16 * 1024 * 1024;

/** A call of a function of a fake DLL. */
export interface NativeCall {
  /** Number that the reply carries; 0 for the greeting, whose function is the DLL. */
  readonly call: number;
  /** For example `HcsStartComputeSystem`. */
  readonly function: string;
  /** The handle that it is about; 0 for none. */
  readonly handle: bigint;
  /** Receiver of events, or operation. */
  readonly context: bigint;
  /** Access, options or type; 0 for none. */
  readonly number: number;
  /** Its strings; null for a null pointer. */
  readonly texts: readonly (string | null)[];
}

/** What a call gives. */
export interface NativeReply {
  /** Signed or unsigned; 0 when it is not given. */
  readonly hresult?: number;
  /** A handle that was opened. */
  readonly handle?: bigint;
  /** Result, error document or error record. */
  readonly result?: string | null;
  /** What was asked for. */
  readonly value?: string | null;
}

/** What a receiver of a fake DLL is told. */
export interface NativeEvent {
  /** The receiver or operation. */
  readonly context: bigint;
  /** Type of the event; 0 for the end of an operation. */
  readonly number: number;
  /** Status or result. */
  readonly hresult?: number;
  /** Data of the event; result of the operation. */
  readonly data?: string | null;
}

function encode(
  head: {
    call: number;
    hresult?: number | undefined;
    number?: number;
    handle?: bigint | undefined;
    context?: bigint;
  },
  texts: readonly (string | null | undefined)[],
): Uint8Array<ArrayBuffer> {
  const encoded = texts.map((text) => new TextEncoder().encode(text ?? ""));
  const size = encoded.reduce((sum, text) => sum + 4 + text.length, headerSize);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, size - 4, true);
  view.setUint32(4, head.call, true);
  view.setUint32(8, head.hresult ?? 0, true);
  view.setUint32(12, head.number ?? 0, true);
  view.setBigUint64(16, head.handle ?? 0n, true);
  view.setBigUint64(24, head.context ?? 0n, true);
  view.setUint32(32, texts.length, true);
  let at = headerSize;
  for (const [index, text] of encoded.entries()) {
    const isNull = texts[index] === null || texts[index] === undefined;
    view.setUint32(at, isNull ? noText : text.length, true);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}

/** The frame of a reply. */
export function encodeReply(
  call: number,
  { hresult, handle, result, value }: NativeReply,
): Uint8Array<ArrayBuffer> {
  return encode({ call, hresult, handle }, [result, value]);
}

/** The frame of an event. */
export function encodeEvent(event: NativeEvent): Uint8Array<ArrayBuffer> {
  const { context, number, hresult, data } = event;
  return encode({ call: 0, hresult, number, context }, [data]);
}

function decode(bytes: Uint8Array<ArrayBuffer>): NativeCall {
  const view = new DataView(bytes.buffer);
  const texts: (string | null)[] = [];
  let at = headerSize;
  for (let left = view.getUint32(32, true); left > 0; left--) {
    const size = view.getUint32(at, true);
    at += 4;
    const end = size === noText ? at : at + size;
    const text = new TextDecoder("utf-8", { ignoreBOM: true })
      .decode(bytes.subarray(at, end));
    texts.push(size === noText ? null : text);
    at = end;
  }
  const [name, ...rest] = texts;
  return {
    call: view.getUint32(4, true),
    function: name ?? "",
    handle: view.getBigUint64(16, true),
    context: view.getBigUint64(24, true),
    number: view.getUint32(12, true),
    texts: rest,
  };
}

/** Reads the calls of a connection until it ends. */
export async function* readCalls(
  stream: Pick<Duplex, "read">,
): AsyncIterable<NativeCall> {
  const head = new Uint8Array(4);
  while (await readFull(stream, head)) {
    const length = new DataView(head.buffer).getUint32(0, true);
    if (length < headerSize - 4 || length > limit) {
      throw new ShimError("DataLoss", `A fake DLL sent ${length} bytes`);
    }
    const bytes = new Uint8Array(4 + length);
    bytes.set(head);
    if (!await readFull(stream, bytes.subarray(4))) return;
    yield decode(bytes);
  }
}

/** The text of a call. @throws {ShimError} InvalidArgument for a null pointer. */
export function textOf({ function: name, texts }: NativeCall, at = 0): string {
  const text = texts[at];
  if (typeof text === "string") return text;
  throw new ShimError("InvalidArgument", `String ${at} of ${name} is null`);
}
