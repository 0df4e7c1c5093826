/**
 * Memory outside of JavaScript's heap. Overlapped calls write to their buffers
 * after they have returned, and Deno keeps no buffer alive for them: only memory
 * that the garbage collector never touches will do.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import type { Kernel32Symbols } from "../library/kernel32.ts";

/** The symbols that allocate. */
export type AllocatingSymbols = Pick<
  Kernel32Symbols,
  "VirtualAlloc" | "VirtualFree"
>;

/** `MEM_COMMIT | MEM_RESERVE`. */
const commit = 0x3000;

/** `MEM_RELEASE`. */
const release = 0x8000;

/** `PAGE_READWRITE`. */
const readWrite = 4;

/** A piece of native memory. */
export interface NativeMemory {
  /** Where it is; the same for its whole life. */
  readonly address: bigint;
  /** The same memory as JavaScript sees it. Not to be used after a free. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Allocates zeroed pages, at an address that is a multiple of 64 KiB.
 *
 * @param size Bytes.
 * @throws {ShimError} ResourceExhausted when there is no memory.
 */
export function allocate(
  kernel32: AllocatingSymbols,
  size: number,
): NativeMemory {
  const address = kernel32.VirtualAlloc(0n, BigInt(size), commit, readWrite);
  const pointer = Deno.UnsafePointer.create(address);
  if (pointer === null) {
    throw new ShimError(
      "ResourceExhausted",
      `Cannot allocate ${size} bytes of native memory`,
    );
  }
  const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, size);
  return { address, bytes: new Uint8Array(buffer) };
}

/** Gives pages back. No operation may use them any more. */
export function free(kernel32: AllocatingSymbols, memory: NativeMemory): void {
  if (kernel32.VirtualFree(memory.address, 0n, release) === 0) {
    throw new ShimError("Internal", "Cannot free native memory: no such block");
  }
}
