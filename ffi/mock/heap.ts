/**
 * Memory of a pretended DLL: real addresses, freed by hand, counted.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import {
  decodeUtf16,
  encodeUtf16,
  type ForeignMemory,
} from "../windows/library/utf16.ts";

/**
 * Strings that stay where they are until `free` gets their address.
 * Freeing an address twice, or one that was never handed out, throws: the real
 * one would corrupt the heap.
 */
export class MockHeap implements ForeignMemory {
  /** How many strings were handed out. */
  allocated = 0;
  /** How many of them were freed. */
  freed = 0;
  readonly #live = new Map<bigint, Uint16Array<ArrayBuffer>>();

  /** How many strings nobody has freed yet. */
  get live(): number {
    return this.#live.size;
  }

  /** Allocates a string. @returns Its address. */
  text(text: string): bigint {
    const units = encodeUtf16(text);
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(units));
    this.#live.set(address, units);
    this.allocated++;
    return address;
  }

  /** Length of a live string, without its NUL. */
  lstrlenW(text: Deno.PointerValue): number {
    return this.#find(text, "read").length - 1;
  }

  /** Frees a live string; a null pointer is nothing to free. */
  free(memory: Deno.PointerValue): void {
    if (memory === null) return;
    this.#find(memory, "free");
    this.#live.delete(Deno.UnsafePointer.value(memory));
    this.freed++;
  }

  #find(pointer: Deno.PointerValue, what: string): Uint16Array<ArrayBuffer> {
    const address = Deno.UnsafePointer.value(pointer);
    const units = this.#live.get(address);
    if (units === undefined) {
      throw new ShimError(
        "Internal",
        `Cannot ${what} 0x${address.toString(16)}: no live string is there`,
      );
    }
    return units;
  }
}

/**
 * Writes an out-parameter (`PWSTR*`, `HANDLE*`) or a member of a structure.
 *
 * @param offset Of the member, in bytes.
 */
export function writeOut(
  out: AllowSharedBufferSource | null,
  value: bigint,
  offset = 0,
): void {
  if (out === null) {
    throw new ShimError("Internal", "An out-parameter is a null pointer");
  }
  const view = ArrayBuffer.isView(out)
    ? new DataView(out.buffer, out.byteOffset, out.byteLength)
    : new DataView(out);
  view.setBigUint64(offset, value, true);
}

/** Reads a parameter of a fixed size (`const GUID*`, a structure). @returns A copy. */
export function readBytes(
  memory: AllowSharedBufferSource | null,
  size: number,
): Uint8Array<ArrayBuffer> {
  const bytes = memory === null ? new Uint8Array(0) : bytesOf(memory);
  if (bytes.length < size) {
    throw new ShimError(
      "Internal",
      `A parameter of ${size} bytes has ${bytes.length}`,
    );
  }
  return bytes.slice(0, size);
}

function bytesOf(memory: AllowSharedBufferSource): Uint8Array {
  return ArrayBuffer.isView(memory)
    ? new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength)
    : new Uint8Array(memory);
}

/** Reads a string parameter (`PCWSTR`) up to its NUL. */
export function readParameter(text: AllowSharedBufferSource | null): string {
  if (text === null) {
    throw new ShimError("Internal", "A string parameter is a null pointer");
  }
  const bytes = bytesOf(text);
  let end = 0;
  while (end + 1 < bytes.length && (bytes[end] !== 0 || bytes[end + 1] !== 0)) {
    end += 2;
  }
  if (end + 1 >= bytes.length) {
    throw new ShimError("Internal", "A string parameter has no NUL");
  }
  // A copy, because TextDecoder takes no shared memory.
  return decodeUtf16(bytes.slice(0, end));
}
