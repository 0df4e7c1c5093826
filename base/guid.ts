/**
 * GUIDs as text (lower case, 36 characters) and as the 16 bytes of Windows
 * (the first three groups little endian).
 *
 * @module
 */

import { ShimError } from "./errors.ts";

/** The all-zero GUID: as a container id it means the virtual machine itself. */
export const nullGuid = "00000000-0000-0000-0000-000000000000";

const pattern =
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for the plain 36-character form, in either case. */
export function isGuid(text: string): boolean {
  return pattern.test(text);
}

/** A fresh random (version 4) GUID. */
export function newGuid(): string {
  return crypto.randomUUID();
}

/** Offsets of the bytes of the memory layout in the text's byte order. */
const layout = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;

/**
 * The 16 bytes that Windows keeps for a GUID.
 *
 * @param text A GUID in its plain form.
 * @throws {ShimError} InvalidArgument when the text is not a GUID.
 */
export function guidBytes(text: string): Uint8Array<ArrayBuffer> {
  if (!isGuid(text)) {
    throw new ShimError("InvalidArgument", `"${text}" is not a GUID`);
  }
  const plain = Uint8Array.fromHex(text.replaceAll("-", ""));
  return Uint8Array.from(layout, (offset) => plain[offset] ?? 0);
}

/** The text of a GUID in Windows' memory layout. Reads 16 bytes. */
export function guidText(bytes: Uint8Array): string {
  const hex = Uint8Array.from(layout, (offset) => bytes[offset] ?? 0).toHex();
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join("-");
}

/** The Hyper-V service id of a vsock port: `<port as 8 hex>-facb-11e6-…`. */
export function vsockServiceId(port: number): string {
  const data1 = (port >>> 0).toString(16).padStart(8, "0");
  return `${data1}-facb-11e6-bd58-64006a7986d3`;
}
