/**
 * Windows' strings: UTF-16LE, ended by a NUL.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";

/** The two functions that foreign strings need. */
export interface ForeignMemory {
  /** Length of a string in UTF-16 units, without its NUL. */
  lstrlenW(text: Deno.PointerValue): number;
  /** Frees a string; each DLL says with which function of Windows. */
  free(memory: Deno.PointerValue): void;
}

/** Keeps a byte order mark and lone surrogates' places: foreign text is data, not a file. */
const decoder = new TextDecoder("utf-16le", { ignoreBOM: true });

/**
 * A string as a DLL takes it (`PCWSTR`).
 *
 * @param text Any text without NUL characters.
 * @returns Units and NUL; it must stay referenced during the call.
 * @throws {ShimError} InvalidArgument for a NUL, at which the DLL would silently stop.
 */
export function encodeUtf16(text: string): Uint16Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot pass ${
        JSON.stringify(text.slice(0, 64))
      } to Windows: it holds a NUL character`,
    );
  }
  const units = new Uint16Array(text.length + 1);
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  return units;
}

/** Text of UTF-16LE bytes, without a NUL. */
export function decodeUtf16(bytes: BufferSource): string {
  return decoder.decode(bytes);
}

/**
 * Copies a foreign string. It is not freed.
 *
 * @returns Its text; null for a null pointer.
 */
export function readUtf16(
  text: Deno.PointerValue,
  memory: ForeignMemory,
): string | null {
  if (text === null) return null;
  const length = memory.lstrlenW(text);
  if (length <= 0) return "";
  return decoder.decode(
    Deno.UnsafePointerView.getArrayBuffer(text, length * 2),
  );
}

/**
 * Takes a string that a DLL wrote into an out-parameter: copies it, frees it and
 * clears the parameter, so that it is freed exactly once.
 *
 * @param out One address; 0 when the DLL returned none.
 * @returns Its text; null when there is none.
 */
export function takeUtf16(
  out: BigUint64Array,
  memory: ForeignMemory,
): string | null {
  const pointer = Deno.UnsafePointer.create(out[0] ?? 0n);
  if (pointer === null) return null;
  out[0] = 0n;
  try {
    return readUtf16(pointer, memory);
  } finally {
    memory.free(pointer);
  }
}
