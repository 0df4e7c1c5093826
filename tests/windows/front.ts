/**
 * What stands behind one connection of a fake DLL.
 *
 * @module
 */

import { HResult, HResultError } from "../../base/hresult.ts";
import { nativeFailure } from "../../ffi/mock/errors.ts";
import type { NativeCall, NativeEvent, NativeReply } from "./frames.ts";

/** Answers the calls of one process to one DLL. */
export interface Front {
  /** Answers a call; what it throws becomes an HRESULT and an error document. */
  call(call: NativeCall): Promise<NativeReply>;
  /** Handles that are open, by kind, for example `system`. */
  openHandles(): Readonly<Record<string, number>>;
  /** Closes what the process left open, as Windows does when a process ends. */
  close(): Promise<void>;
}

/** Tells the process something. */
export type Emit = (event: NativeEvent) => void;

/** Functions of a DLL by their names. */
export type Functions = Readonly<
  Record<string, (call: NativeCall) => NativeReply | Promise<NativeReply>>
>;

/**
 * Calls a function by its name.
 *
 * @throws {HResultError} E_NOTIMPL when there is none.
 */
export async function callFunction(
  functions: Functions,
  call: NativeCall,
): Promise<NativeReply> {
  const found = Object.hasOwn(functions, call.function)
    ? functions[call.function]
    : undefined;
  if (found !== undefined) return await found(call);
  throw new HResultError(HResult.NotImplemented, `No ${call.function} here`);
}

/** The reply of a call that failed. */
export function failedReply(error: unknown): NativeReply {
  const { hresult, document } = nativeFailure(error);
  return { hresult, result: document };
}

/** Open handles of one kind. */
export class Handles<T> {
  readonly #open = new Map<bigint, T>();
  #last: bigint;

  /** @param first Just below the first handle: wider than 32 bits, and each kind in a range of its own. */
  constructor(first: bigint) {
    this.#last = first;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** What is open. */
  values(): readonly T[] {
    return [...this.#open.values()];
  }

  /** Opens a handle. */
  open(value: T): bigint {
    this.#open.set(++this.#last, value);
    return this.#last;
  }

  /** What a handle stands for. @throws {HResultError} E_HANDLE when it is not open. */
  find(handle: bigint): T {
    const found = this.#open.get(handle);
    if (found !== undefined) return found;
    throw new HResultError(
      HResult.InvalidHandle,
      `${handle} is no open handle`,
    );
  }

  /** Closes a handle. @throws {HResultError} E_HANDLE when it is not open. */
  close(handle: bigint): T {
    const found = this.find(handle);
    this.#open.delete(handle);
    return found;
  }
}
