/**
 * Native memory of the pretended Windows: it has real addresses, and whoever
 * touches it after it was freed is found out.
 *
 * @module
 */

import { CallFailure } from "./calls.ts";

/** `ERROR_INVALID_ADDRESS`. */
const invalidAddress = 487;

/** `ERROR_NOACCESS`. */
const noAccess = 998;

/** What freed memory is filled with. */
const poison = 0xdd;

interface Block {
  readonly address: bigint;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The symbol that frees it. */
  readonly by: string;
}

/** An address as symbols get it. */
export type Address = number | bigint;

/** Blocks of memory. Freed ones stay where they are, so that no address returns. */
export class FakeMemory {
  readonly #misuse: string[];
  readonly #live = new Map<bigint, Block>();
  readonly #freed: Block[] = [];

  /** @param misuse Gets what the real Windows would punish. */
  constructor(misuse: string[]) {
    this.#misuse = misuse;
  }

  /** Allocates zeroed memory. @param by The symbol that will free it. */
  allocate(size: number, by: string): bigint {
    const bytes = new Uint8Array(size);
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
    this.#live.set(address, { address, bytes, by });
    return address;
  }

  /**
   * Frees a block.
   *
   * @returns What it was.
   * @throws {CallFailure} When there is none that `by` frees.
   */
  free(address: Address, by: string): ArrayBuffer {
    const block = this.#live.get(BigInt(address));
    if (block?.by !== by) {
      this.#misuse.push(`${by} of 0x${address.toString(16)}: no such block`);
      throw new CallFailure(invalidAddress);
    }
    this.#live.delete(block.address);
    block.bytes.fill(poison);
    this.#freed.push(block);
    return block.bytes.buffer;
  }

  /**
   * Live memory as a call uses it.
   *
   * @throws {CallFailure} When not all of it is one live block.
   */
  at(symbol: string, address: Address, length: number): Uint8Array {
    const start = BigInt(address);
    for (const block of this.#live.values()) {
      const offset = Number(start - block.address);
      if (offset < 0 || offset + length > block.bytes.length) continue;
      return block.bytes.subarray(offset, offset + length);
    }
    this.#misuse.push(`${symbol} with memory that is not allocated`);
    throw new CallFailure(noAccess);
  }

  /** The same as a view. */
  viewAt(symbol: string, address: Address, length: number): DataView {
    const { buffer, byteOffset } = this.at(symbol, address, length);
    return new DataView(buffer, byteOffset, length);
  }

  /** Blocks that nobody has freed, by the symbol that should have. */
  leftovers(): string[] {
    const counts = new Map<string, number>();
    for (const { by } of this.#live.values()) {
      counts.set(by, (counts.get(by) ?? 0) + 1);
    }
    const left = [...counts].map(([by, count]) => `${count} blocks for ${by}`);
    if (this.#freed.some(({ bytes }) => isWritten(bytes))) {
      left.push("memory was written to after it was freed");
    }
    return left;
  }
}

/** True when not all of it is as it was freed. */
function isWritten(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== poison) return true;
  }
  return false;
}

/** A `buffer` parameter as bytes. @throws {CallFailure} For a null pointer. */
export function bytesOf(
  parameter: AllowSharedBufferSource | null,
): Uint8Array {
  if (parameter === null) throw new CallFailure(noAccess);
  return ArrayBuffer.isView(parameter)
    ? new Uint8Array(
      parameter.buffer,
      parameter.byteOffset,
      parameter.byteLength,
    )
    : new Uint8Array(parameter);
}

/** A `buffer` parameter as a view. @throws {CallFailure} For a null pointer. */
export function viewOf(parameter: AllowSharedBufferSource | null): DataView {
  const { buffer, byteOffset, byteLength } = bytesOf(parameter);
  return new DataView(buffer, byteOffset, byteLength);
}
