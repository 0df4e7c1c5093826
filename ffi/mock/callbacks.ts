/**
 * Notification callbacks as a DLL sees them: a function pointer and a number.
 *
 * @module
 */

import {
  notificationCallback,
  type NotificationReceiver,
} from "../windows/library/vmcompute.ts";
import type { MockHeap } from "./heap.ts";

type Native = Deno.UnsafeFnPointer<typeof notificationCallback>;

/**
 * The callbacks registered with a pretended DLL, and the native functions made
 * for them. Unlike the real DLL it has no threads, so it can close them.
 */
export class MockCallbacks {
  readonly #heap: MockHeap;
  readonly #functions: Deno.UnsafeCallback<typeof notificationCallback>[] = [];
  readonly #registered = new Map<
    bigint,
    { readonly call: Native; readonly context: bigint }
  >();
  #last = 0x1000n;

  /** @param heap Holds the data of a notification during its delivery. */
  constructor(heap: MockHeap) {
    this.#heap = heap;
  }

  /** Makes a native function. */
  make(receiver: NotificationReceiver): Deno.PointerValue {
    const made = Deno.UnsafeCallback.threadSafe(notificationCallback, receiver);
    made.unref();
    this.#functions.push(made);
    return made.pointer;
  }

  /** `HcsRegisterComputeSystemCallback`. @returns The callback handle; 0 for a null function. */
  register(callback: Deno.PointerValue, context: bigint): bigint {
    if (callback === null) return 0n;
    const call = new Deno.UnsafeFnPointer(
      callback as Deno.PointerObject<typeof notificationCallback>,
      notificationCallback,
    );
    const handle = ++this.#last;
    this.#registered.set(handle, { call, context });
    return handle;
  }

  /** `HcsUnregisterComputeSystemCallback`. @returns False when it is no handle. */
  unregister(handle: bigint): boolean {
    return this.#registered.delete(handle);
  }

  /** How many callbacks are registered. */
  get size(): number {
    return this.#registered.size;
  }

  /** Handles of the registered callbacks, oldest first. */
  get handles(): readonly bigint[] {
    return [...this.#registered.keys()];
  }

  /**
   * Calls a registered function with data that lives during the call only.
   *
   * @param status HRESULT, signed or unsigned.
   * @param data Text; undefined for a null pointer.
   */
  notify(handle: bigint, type: number, status: number, data?: string): void {
    const registered = this.#registered.get(handle);
    if (registered === undefined) return;
    const { call, context } = registered;
    const address = data === undefined ? 0n : this.#heap.text(data);
    const pointer = Deno.UnsafePointer.create(address);
    try {
      call.call(type, context, status | 0, pointer);
    } finally {
      this.#heap.free(pointer);
    }
  }

  /** Closes the native functions. Nothing may be notified afterwards. */
  close(): void {
    this.#registered.clear();
    for (const made of this.#functions.splice(0)) made.close();
  }
}
