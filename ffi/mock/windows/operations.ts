/**
 * Overlapped operations of the pretended Windows.
 *
 * @module
 */

import { CallFailure, type FakeCalls } from "./calls.ts";
import type { Handle, KernelObject } from "./handles.ts";
import type { Address, FakeMemory } from "./memory.ts";
import { isFailure, NtStatus, win32Code } from "./status.ts";

/** Bytes of `OVERLAPPED`. */
const overlappedSize = 32;

/** `ERROR_NOT_FOUND`: nothing to cancel. */
const nothingToCancel = 1168;

/** One operation, until it completes. */
export class Operation {
  /** Where its bytes are. */
  readonly bytes: Uint8Array;
  /** True once it has completed. */
  settled = false;
  readonly #settle: (status: number, count: number) => void;

  /** @param settle Reports the completion. */
  constructor(
    bytes: Uint8Array,
    settle: (status: number, count: number) => void,
  ) {
    this.bytes = bytes;
    this.#settle = settle;
  }

  /** Completes it; once. */
  settle(status: number, count: number): void {
    if (this.settled) return;
    this.settled = true;
    this.#settle(status, count);
  }
}

/** What an overlapped call was given. */
export interface OverlappedCall {
  /** Its symbol. */
  readonly symbol: string;
  /** Its handle. */
  readonly handle: Handle;
  /** What the handle stands for. */
  readonly object: KernelObject;
  /** Address of its `OVERLAPPED`. */
  readonly overlapped: Address;
  /** Its buffer. */
  readonly bytes?: Uint8Array;
  /** Translates a status with which it fails at once; default {@linkcode win32Code}. */
  readonly code?: (status: number) => number;
}

interface Entry {
  readonly call: OverlappedCall;
  readonly operation: Operation;
  /** Its `OVERLAPPED`. */
  readonly header: DataView;
}

/** All operations under way. */
export class FakeOperations {
  readonly #calls: FakeCalls;
  readonly #memory: FakeMemory;
  readonly #misuse: string[];
  readonly #underWay = new Map<bigint, Entry>();

  /** @param misuse Gets what the real Windows would punish. */
  constructor(calls: FakeCalls, memory: FakeMemory, misuse: string[]) {
    this.#calls = calls;
    this.#memory = memory;
    this.#misuse = misuse;
  }

  /** How many operations are under way. */
  get size(): number {
    return this.#underWay.size;
  }

  /**
   * Begins an operation.
   *
   * @param start Does it. Returns success when it has settled the operation, pending
   *   when it will, or the status with which the call fails.
   * @throws {CallFailure} When it goes on (ERROR_IO_PENDING) or fails at once.
   */
  begin(call: OverlappedCall, start: (operation: Operation) => number): void {
    const { symbol, object, bytes = new Uint8Array(), code = win32Code } = call;
    const overlapped = BigInt(call.overlapped);
    const header = this.#memory.viewAt(symbol, overlapped, overlappedSize);
    this.#examine(call, bytes);
    const operation = new Operation(bytes, (status, count) => {
      this.#underWay.delete(overlapped);
      header.setBigUint64(0, BigInt(status), true);
      header.setBigUint64(8, BigInt(count), true);
      object.port?.post({ key: 0n, overlapped, count });
    });
    this.#underWay.set(overlapped, { call, operation, header });
    header.setBigUint64(0, BigInt(NtStatus.Pending), true);
    const later = this.#calls.takeLater(symbol);
    const status = later === undefined ? start(operation) : NtStatus.Pending;
    later?.when.then(() => operation.settle(later.status, later.count));
    if (isFailure(status)) this.#underWay.delete(overlapped);
    if (status !== NtStatus.Success) throw new CallFailure(code(status));
  }

  /** `CancelIoEx` for all operations of a handle. @throws {CallFailure} When there is none. */
  cancel(handle: Handle): void {
    const mine = this.#of(handle);
    for (const { operation } of mine) operation.settle(NtStatus.Cancelled, 0);
    if (mine.length === 0) throw new CallFailure(nothingToCancel);
  }

  /** Notes when a handle is closed under its operations. */
  closing(symbol: string, handle: Handle): void {
    for (const { call, operation } of this.#of(handle)) {
      this.#misuse.push(
        `${symbol} of a ${call.object.kind} while ${call.symbol} is under way`,
      );
      operation.settle(NtStatus.Cancelled, 0);
    }
  }

  /** Notes when memory of operations is freed under them. */
  freeing(symbol: string, memory: ArrayBuffer): void {
    for (const { call, operation, header } of this.#underWay.values()) {
      const buffers = [operation.bytes.buffer, header.buffer];
      if (!buffers.includes(memory)) continue;
      this.#misuse.push(`${symbol} of memory that ${call.symbol} uses`);
    }
  }

  #of(handle: Handle): Entry[] {
    return [...this.#underWay.values()]
      .filter(({ call }) => BigInt(call.handle) === BigInt(handle));
  }

  /** Notes what would overwrite memory or lose the completion. */
  #examine(call: OverlappedCall, bytes: Uint8Array): void {
    const { symbol, object, overlapped } = call;
    if (object.port === undefined) {
      this.#misuse.push(`${symbol} of a ${object.kind} that has no port`);
    }
    if (this.#underWay.has(BigInt(overlapped))) {
      this.#misuse.push(`${symbol} with an OVERLAPPED that is in use`);
    }
    const end = bytes.byteOffset + bytes.length;
    for (const { operation: { bytes: other } } of this.#underWay.values()) {
      const overlaps = other.buffer === bytes.buffer && other.length > 0 &&
        other.byteOffset < end &&
        bytes.byteOffset < other.byteOffset + other.length;
      if (overlaps) this.#misuse.push(`${symbol} with a buffer that is in use`);
    }
  }
}
