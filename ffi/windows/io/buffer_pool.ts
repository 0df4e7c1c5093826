/**
 * Buffers for overlapped reads and writes, of two sizes: a stream that waits for
 * its next byte holds a small one, a stream that moves bulk data a large one.
 *
 * @module
 */

import {
  allocate,
  type AllocatingSymbols,
  free,
  type NativeMemory,
} from "./native_memory.ts";

/** Bytes of a small buffer; a slab holds sixteen. */
export const smallBuffer = 4 * 1024;

/** Bytes of a large buffer, and of a slab: what Windows allocates at least. */
export const largeBuffer = 64 * 1024;

/** Free large buffers that are kept; more are given back to the system. */
const keptLarge = 64;

/** Lends buffers. Every buffer that is taken must be given back, after its operation has completed. */
export class BufferPool {
  readonly #kernel32: AllocatingSymbols;
  readonly #small: NativeMemory[] = [];
  readonly #large: NativeMemory[] = [];
  /** Slabs that were split into small buffers. */
  readonly #slabs: NativeMemory[] = [];
  #lent = 0;

  /** @param kernel32 Allocates the slabs. */
  constructor(kernel32: AllocatingSymbols) {
    this.#kernel32 = kernel32;
  }

  /** How many buffers are lent. */
  get lent(): number {
    return this.#lent;
  }

  /**
   * Takes a buffer.
   *
   * @param size Bytes wanted; the buffer has {@linkcode smallBuffer} bytes when
   *   that is enough, else {@linkcode largeBuffer}.
   * @throws {ShimError} ResourceExhausted when there is no memory.
   */
  take(size: number): NativeMemory {
    const buffer = size <= smallBuffer ? this.#takeSmall() : this.#takeLarge();
    this.#lent++;
    return buffer;
  }

  /** Gives a buffer back. */
  give(buffer: NativeMemory): void {
    this.#lent--;
    if (buffer.bytes.length === smallBuffer) this.#small.push(buffer);
    else if (this.#large.length < keptLarge) this.#large.push(buffer);
    else free(this.#kernel32, buffer);
  }

  /** Frees everything; nothing may be lent. */
  close(): void {
    const all = [...this.#large.splice(0), ...this.#slabs.splice(0)];
    this.#small.length = 0;
    for (const memory of all) free(this.#kernel32, memory);
  }

  #takeLarge(): NativeMemory {
    return this.#large.pop() ?? allocate(this.#kernel32, largeBuffer);
  }

  #takeSmall(): NativeMemory {
    const free = this.#small.pop();
    if (free !== undefined) return free;
    const slab = allocate(this.#kernel32, largeBuffer);
    this.#slabs.push(slab);
    for (let at = smallBuffer; at < largeBuffer; at += smallBuffer) {
      this.#small.push(part(slab, at));
    }
    return part(slab, 0);
  }
}

function part(slab: NativeMemory, at: number): NativeMemory {
  return {
    address: slab.address + BigInt(at),
    bytes: slab.bytes.subarray(at, at + smallBuffer),
  };
}
