/**
 * IP addresses and prefixes as text and as bytes.
 *
 * @module
 */

/** One address. */
export interface IpAddress {
  /** As it was written. */
  readonly text: string;
  /** 4 bytes of IPv4 or 16 of IPv6, in network order. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** An address and how many of its leading bits count; the others are kept. */
export interface IpPrefix {
  /** The address, host bits included. */
  readonly address: IpAddress;
  /** 0 … 32 or 0 … 128. */
  readonly length: number;
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  // Leading zeros mean octal to some readers: nobody may guess.
  const plain = parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part));
  const bytes = parts.map(Number);
  return plain && parts.length === 4 && bytes.every((byte) => byte < 256)
    ? bytes
    : undefined;
}

/** The bytes of groups between colons; the last may be an IPv4 address. */
function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    const isLast = i === groups.length - 1;
    const ipv4 = isLast && group.includes(".") ? parseIpv4(group) : undefined;
    if (ipv4 !== undefined) bytes.push(...ipv4);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}

function parseIpv6(text: string): number[] | undefined {
  const [first = "", second, third] = text.split("::");
  if (third !== undefined) return undefined;
  const head = parseGroups(first);
  if (head === undefined) return undefined;
  if (second === undefined) return head.length === 16 ? head : undefined;
  if (first.includes(".")) return undefined; // IPv4 stands only at the end
  const tail = parseGroups(second);
  if (tail === undefined) return undefined;
  const zeros = 16 - head.length - tail.length;
  if (zeros < 2) return undefined;
  return [...head, ...new Array<number>(zeros).fill(0), ...tail];
}

/** Longest text of an address; longer ones are not looked at. */
const maxText = 45;

/**
 * Reads an address: IPv4 with dots or IPv6 without a zone.
 *
 * @returns Undefined when the text is none.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.length > maxText) return undefined;
  const bytes = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  return bytes && { text, bytes: Uint8Array.from(bytes) };
}

/**
 * Reads `address/length`. Bits behind the length are kept.
 *
 * @returns Undefined when the text is no prefix.
 */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const [, before = "", after] = text.match(/^([^/]*)\/(0|[1-9]\d{0,2})$/) ??
    [];
  const address = parseIpAddress(before);
  const length = Number(after);
  if (address === undefined || length > bitsOf(address)) return undefined;
  return { address, length };
}

/** How many bits addresses of this family have: 32 or 128. */
export function bitsOf(address: IpAddress): number {
  return address.bytes.length * 8;
}

/** True for `0.0.0.0` and `::`. */
export function isUnspecified(address: IpAddress): boolean {
  return address.bytes.every((byte) => byte === 0);
}

/** `address/length`. */
export function prefixText(prefix: IpPrefix): string {
  return `${prefix.address.text}/${prefix.length}`;
}
