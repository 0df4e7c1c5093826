/**
 * Notifications of the compute service: one native callback for the whole
 * library, numbers instead of addresses as contexts.
 *
 * @module
 */

import { readUtf16 } from "../library/utf16.ts";
import type { VmComputeLibrary } from "../library/vmcompute.ts";

/** `HCS_NOTIFICATIONS` of `vmcompute.h`; computecore's events have other values. */
export const NotificationType = {
  /** The system ended. */
  SystemExited: 0x1,
  /** A pending create completed. */
  SystemCreateCompleted: 0x2,
  /** A pending start completed. */
  SystemStartCompleted: 0x3,
  /** The guest's crash was reported. */
  SystemCrashReport: 0x6,
  /** The guest begins to crash. */
  SystemCrashInitiated: 0xd,
  /** The service's own connection into the guest closed. */
  SystemGuestConnectionClosed: 0xe,
  /** The service is gone; nothing more will come. */
  ServiceDisconnect: 0x01000000,
} as const;

/** One notification, copied. */
export interface Notification {
  /** See {@linkcode NotificationType}. */
  readonly type: number;
  /** HRESULT, unsigned. */
  readonly status: number;
  /** JSON text; empty when the service sent none. */
  readonly data: string;
}

/** Takes the notifications of one handle, in their order. Must not throw. */
export type NotificationTarget = (notification: Notification) => void;

/**
 * Hands notifications to the handles that they are for.
 *
 * The native callback runs while a thread of the DLL waits for it, and
 * unregistering waits for that thread. So it only copies and queues; targets run
 * in a later turn.
 */
export class NotificationRouter {
  readonly #library: VmComputeLibrary;
  readonly #targets = new Map<bigint, NotificationTarget>();
  #lastContext = 0n;
  #callback: Deno.PointerValue = null;

  /** @param library Makes the native function, at the first registration. */
  constructor(library: VmComputeLibrary) {
    this.#library = library;
  }

  /** The native function to register. */
  get callback(): Deno.PointerValue {
    return this.#callback ??= this.#library.callback(
      (type, context, status, data) => {
        if (!this.#targets.has(context)) return;
        const text = readUtf16(data, this.#library.memory) ?? "";
        const notification = { type, status: status >>> 0, data: text };
        queueMicrotask(() => this.#targets.get(context)?.(notification));
      },
    );
  }

  /** Adds a target. @returns Its context, never used twice. */
  add(target: NotificationTarget): bigint {
    const context = ++this.#lastContext;
    this.#targets.set(context, target);
    return context;
  }

  /** Forgets a target; what still comes for it is dropped. */
  remove(context: bigint): void {
    this.#targets.delete(context);
  }
}
