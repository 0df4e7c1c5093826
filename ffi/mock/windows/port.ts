/**
 * Completion ports of the pretended Windows.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { KernelObject } from "./handles.ts";

/** One completion. */
export interface Packet {
  /** Completion key. */
  readonly key: bigint;
  /** Address of the `OVERLAPPED`. */
  readonly overlapped: bigint;
  /** Bytes. */
  readonly count: number;
}

/** Bytes of `OVERLAPPED_ENTRY`. */
const entrySize = 32;

/** Lets everything that is ready run, timers and other work of the process, too. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(() => resolve()));
}

/** One completion port. */
export class FakePort implements KernelObject {
  /** See {@linkcode KernelObject.kind}. */
  readonly kind = "completion port";
  /** Waits under way: calls that hold a thread. */
  waiting = 0;
  /** Most waits that ever were under way at once. */
  peak = 0;
  /** How many packets every look took. */
  readonly batches: number[] = [];
  readonly #packets: Packet[] = [];
  #wake: (() => void) | undefined;
  #gone = false;

  /** Packets that nobody has taken. */
  get queued(): number {
    return this.#packets.length;
  }

  /** Queues a completion. */
  post(packet: Packet): void {
    this.#packets.push(packet);
    this.#wake?.();
  }

  /**
   * Takes completions.
   *
   * @param entries Room for `OVERLAPPED_ENTRY`s.
   * @returns How many; 0 when there is none.
   */
  take(entries: DataView): number {
    const room = Math.floor(entries.byteLength / entrySize);
    const taken = this.#packets.splice(0, room);
    taken.forEach(({ key, overlapped, count }, index) => {
      const at = index * entrySize;
      entries.setBigUint64(at, key, true);
      entries.setBigUint64(at + 8, overlapped, true);
      // Windows keeps this member for itself: whatever it holds must not matter.
      entries.setBigUint64(at + 16, 0xdddd_dddd_dddd_ddddn, true);
      entries.setUint32(at + 24, count, true);
    });
    if (taken.length > 0) this.batches.push(taken.length);
    return taken.length;
  }

  /** Resolves when there is something to take. @returns False when the port is gone. */
  async wait(): Promise<boolean> {
    this.peak = Math.max(this.peak, ++this.waiting);
    try {
      // Another thread makes the call, and this one learns of its end later.
      await turn();
      while (this.#packets.length === 0 && !this.#gone) {
        await new Promise<void>((resolve) => this.#wake = resolve);
        await turn();
      }
      return !this.#gone;
    } finally {
      this.waiting--;
    }
  }

  /** Ends all waits: somebody has closed the port. */
  close(): void {
    this.#gone = true;
    this.#wake?.();
  }
}
