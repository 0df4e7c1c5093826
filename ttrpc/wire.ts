/**
 * The parts of the protobuf wire format that the generated codecs call:
 * embedded messages, maps, packed lists and 64-bit integers as `bigint`.
 *
 * @module
 */

import type { MessageType, Reader, Writer } from "./message.ts";

/** The two halves of a 64-bit integer, as protobufjs takes them. */
function halves(value: bigint): Parameters<Writer["uint64"]>[0] {
  return {
    low: Number(BigInt.asUintN(32, value)),
    high: Number(BigInt.asUintN(32, value >> 32n)),
    unsigned: true,
  } as Parameters<Writer["uint64"]>[0];
}

/** Writes a 64-bit integer; negative ones take ten bytes. */
export function writeInt64(writer: Writer, value: bigint): void {
  writer.uint64(halves(value));
}

/** Reads an unsigned 64-bit integer. */
export function readUint64(reader: Reader): bigint {
  // Read as two halves: the library's own result type depends on what else is installed.
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = reader.pos < reader.len ? reader.buf[reader.pos] : undefined;
    if (byte === undefined) {
      throw new RangeError("message ends inside a varint");
    }
    reader.pos++;
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high = bits >>> 4;
    } else high |= bits << (shift - 32);
    if (byte < 0x80) return BigInt(high >>> 0) << 32n | BigInt(low >>> 0);
  }
  throw new RangeError("varint is longer than ten bytes");
}

/** Reads a signed 64-bit integer. */
export function readInt64(reader: Reader): bigint {
  return BigInt.asIntN(64, readUint64(reader));
}

/** Writes an embedded message after its tag. */
export function writeMessage<T>(
  writer: Writer,
  tag: number,
  type: Pick<MessageType<T>, "write">,
  value: Partial<T>,
): void {
  writer.uint32(tag).fork();
  type.write(value, writer);
  writer.ldelim();
}

/** Runs `read` on the next length-delimited field, which must be read to its end. */
function within<T>(reader: Reader, read: (reader: Reader) => T): T {
  const outer = reader.len;
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > outer) {
    throw new RangeError(
      `field of ${length} bytes does not fit the ${outer - reader.pos} left`,
    );
  }
  reader.len = end;
  const value = read(reader);
  if (reader.pos !== end) throw new RangeError("field overruns its length");
  reader.len = outer;
  return value;
}

/** Reads an embedded message. */
export function readMessage<T>(
  reader: Reader,
  type: Pick<MessageType<T>, "read">,
): T {
  return within(reader, type.read);
}

/** Writes a list of numbers in one packed field; an empty list writes nothing. */
export function writePacked<T>(
  writer: Writer,
  tag: number,
  values: readonly T[] | undefined,
  write: (writer: Writer, value: T) => void,
): void {
  if (values === undefined || values.length === 0) return;
  writer.uint32(tag).fork();
  for (const value of values) write(writer, value);
  writer.ldelim();
}

/** Reads a packed field and appends its numbers. */
export function readPacked<T>(
  reader: Reader,
  values: T[],
  read: (reader: Reader) => T,
): void {
  within(reader, () => {
    while (reader.pos < reader.len) values.push(read(reader));
  });
}

/** Writes a map of strings as repeated entries `{1 key, 2 value}`. */
export function writeStringMap(
  writer: Writer,
  tag: number,
  entries: Readonly<Record<string, string>> | undefined,
): void {
  for (const [key, value] of Object.entries(entries ?? {})) {
    writer.uint32(tag).fork()
      .uint32(1 << 3 | 2).string(key)
      .uint32(2 << 3 | 2).string(value)
      .ldelim();
  }
}

/** Reads one entry of a map of strings. */
export function readStringEntry(
  reader: Reader,
  entries: Record<string, string>,
): void {
  within(reader, () => {
    let key = "";
    let value = "";
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === (1 << 3 | 2)) key = reader.string();
      else if (tag === (2 << 3 | 2)) value = reader.string();
      else skipField(reader, tag);
    }
    // A peer may name an entry "__proto__": it must stay data.
    Object.defineProperty(entries, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  });
}

/** Skips a field that this side does not know, or whose wire type is another. */
export function skipField(reader: Reader, tag: number): void {
  reader.skipType(tag & 7, 0, tag >>> 3);
}
