/**
 * Events that describe themselves, in the encoding of TraceLogging: any tool for
 * Event Tracing for Windows (ETW) shows their names and members, without a
 * manifest (TraceLoggingProvider.h of the Windows SDK).
 *
 * @module
 */

/** Levels of events (winmeta.h). */
export const eventLevels = { error: 2, warn: 3, info: 4, debug: 5 } as const;

/** Members of an event: texts, or lists of texts. */
export type EventFields = Readonly<
  Record<string, string | readonly string[]>
>;

/** Channel that marks such events (`WINEVENT_CHANNEL_TRACELOGGING`). */
const channel = 11;

/** `TlgInANSISTRING`: bytes up to a zero. */
const textIn = 2;

/** An output type follows (`TlgInChain`). */
const chain = 0x80;

/** A list whose count stands before it (`TlgInVcount`). */
const counted = 0x40;

/** `TlgOutUTF8`. */
const textOut = 35;

/** `EVENT_DATA_DESCRIPTOR_TYPE_*` of evntprov.h. */
const partTypes = { data: 0, eventMetadata: 1, providerMetadata: 2 } as const;

const encoder = new TextEncoder();

/** UTF-8 up to a zero; zeros within would end it early. */
function text(value: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${value.replaceAll("\0", " ")}\0`);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

/** A block that begins with its own length. */
function sized(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = join(parts);
  return join([uint16(body.length + 2), body]);
}

/** The traits of a provider: its name. */
export function providerTraits(name: string): Uint8Array<ArrayBuffer> {
  return sized([text(name)]);
}

/** Name of an event, and name and type of each of its members. */
function eventMetadata(
  name: string,
  fields: EventFields,
): Uint8Array<ArrayBuffer> {
  const members = Object.entries(fields).flatMap(([member, value]) => {
    const type = textIn | chain | (typeof value === "string" ? 0 : counted);
    return [text(member), Uint8Array.of(type, textOut)];
  });
  return sized([Uint8Array.of(0 /* tags */), text(name), ...members]);
}

/** The members' values, in the order of {@linkcode eventMetadata}. */
function eventData(fields: EventFields): Uint8Array<ArrayBuffer> {
  return join(
    Object.values(fields).flatMap((value) =>
      typeof value === "string"
        ? [text(value)]
        : [uint16(value.length), ...value.map(text)]
    ),
  );
}

/** An `EVENT_DESCRIPTOR` (evntprov.h, 16 bytes). */
export function eventDescriptor(level: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  bytes[3] = channel;
  bytes[4] = level;
  return bytes;
}

/** An event as `EventWriteTransfer` takes it. */
export interface EncodedEvent {
  /** How many descriptors there are. */
  readonly count: number;
  /**
   * The descriptors, and behind them what they point to: who holds these bytes
   * holds everything.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Bytes of an `EVENT_DATA_DESCRIPTOR` (evntprov.h). */
const descriptorSize = 16;

/**
 * Encodes an event.
 *
 * @param traits Of its provider.
 * @param name Its name.
 * @param fields Its members.
 * @param address Gives the address of bytes that will not move.
 */
export function encodeEvent(
  traits: Uint8Array<ArrayBuffer>,
  name: string,
  fields: EventFields,
  address: (bytes: Uint8Array<ArrayBuffer>) => bigint,
): EncodedEvent {
  const data = eventData(fields);
  const parts = [
    [traits, partTypes.providerMetadata],
    [eventMetadata(name, fields), partTypes.eventMetadata],
    ...(data.length === 0 ? [] : [[data, partTypes.data] as const]),
  ] as const;
  const bodies = join(parts.map(([part]) => part));
  const head = descriptorSize * parts.length;
  const bytes = new Uint8Array(head + bodies.length);
  bytes.set(bodies, head);
  const view = new DataView(bytes.buffer);
  let at = address(bytes) + BigInt(head);
  parts.forEach(([{ length }, type], index) => {
    view.setBigUint64(descriptorSize * index, at, true);
    view.setUint32(descriptorSize * index + 8, length, true);
    view.setUint8(descriptorSize * index + 12, type);
    at += BigInt(length);
  });
  return { count: parts.length, bytes };
}
