/**
 * Event callbacks as a pretended `computecore.dll` sees them.
 *
 * @module
 */

import { eventCallback, hcsEvent } from "../windows/library/computecore.ts";
import type { MockHeap } from "./heap.ts";

interface Registration {
  readonly callback: Deno.PointerValue;
  readonly context: bigint;
}

/** The callbacks of open systems. */
export class MockEvents {
  readonly #heap: MockHeap;
  readonly #registered = new Map<bigint, Registration>();

  /** @param heap Holds the data of an event during its delivery. */
  constructor(heap: MockHeap) {
    this.#heap = heap;
  }

  /** `HcsSetComputeSystemCallback`. */
  set(system: bigint, callback: Deno.PointerValue, context: bigint): void {
    this.#registered.set(system, { callback, context });
  }

  /** The system is closed. */
  remove(system: bigint): void {
    this.#registered.delete(system);
  }

  /** Forgets all. */
  clear(): void {
    this.#registered.clear();
  }

  /** Sends an event to every open system. @param data Text; undefined for a null pointer. */
  send(type: number, data?: string): void {
    const address = data === undefined ? 0n : this.#heap.text(data);
    const event = new DataView(new ArrayBuffer(hcsEvent.size));
    event.setUint32(hcsEvent.type, type, true);
    event.setBigUint64(hcsEvent.data, address, true);
    const pointer = Deno.UnsafePointer.of(event);
    for (const { callback, context } of this.#registered.values()) {
      new Deno.UnsafeFnPointer(
        callback as Deno.PointerObject<typeof eventCallback>,
        eventCallback,
      ).call(pointer, context);
    }
    this.#heap.free(Deno.UnsafePointer.create(address));
  }
}
