/**
 * The operations of a pretended `computecore.dll`.
 *
 * @module
 */

import { completionCallback } from "../windows/library/computecore.ts";

/** How an operation ends. */
export interface Completion {
  /** HRESULT, signed or unsigned. Default: success. */
  readonly hresult?: number;
  /** Result document. */
  readonly document?: string;
}

interface OpenOperation {
  readonly callback: Deno.PointerValue;
  readonly context: bigint;
  state: "new" | "pending" | "ended";
  completion: Completion;
}

/** `HCS_E_OPERATION_NOT_STARTED`. */
const notStarted: Completion = { hresult: 0x80370115 };

/** `HCS_E_OPERATION_PENDING` of this DLL. */
const underWay: Completion = { hresult: 0x80370117 };

/** Keeps the operations, and reports their completions. */
export class MockOperations {
  readonly #open = new Map<bigint, OpenOperation>();

  /** Adds an operation. */
  add(handle: bigint, callback: Deno.PointerValue, context: bigint): void {
    const completion = notStarted;
    this.#open.set(handle, { callback, context, state: "new", completion });
  }

  /** Forgets an operation: nobody is told of its completion. */
  remove(handle: bigint): void {
    this.#open.delete(handle);
  }

  /** Forgets all. */
  clear(): void {
    this.#open.clear();
  }

  /** What `HcsGetOperationResult` tells. */
  completion(handle: bigint): Completion {
    return this.#open.get(handle)?.completion ?? notStarted;
  }

  /** A request begins. @returns False when the operation cannot track one. */
  begin(handle: bigint): boolean {
    const operation = this.#open.get(handle);
    if (operation?.state !== "new") return false;
    operation.state = "pending";
    operation.completion = underWay;
    return true;
  }

  /** The function that makes the request failed: nothing completes. */
  fail(handle: bigint, completion: Completion): void {
    const operation = this.#open.get(handle);
    if (operation === undefined) return;
    operation.state = "ended";
    operation.completion = completion;
  }

  /** Ends a request that is under way, and reports it. */
  complete(handle: bigint, completion: Completion): void {
    const operation = this.#open.get(handle);
    if (operation?.state !== "pending") return;
    operation.state = "ended";
    operation.completion = completion;
    new Deno.UnsafeFnPointer(
      operation.callback as Deno.PointerObject<typeof completionCallback>,
      completionCallback,
    ).call(handle, operation.context);
  }

  /** Ends every request that is under way. */
  completeAll(completion: Completion): void {
    for (const handle of [...this.#open.keys()]) {
      this.complete(handle, completion);
    }
  }
}
