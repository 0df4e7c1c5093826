/**
 * Notifications of the compute service: one native callback for the whole
 * library, numbers instead of addresses as contexts.
 *
 * @module
 */

import { Contexts, type ContextTarget } from "./contexts.ts";
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
  /** A pending pause completed. */
  SystemPauseCompleted: 0x4,
  /** A pending resume completed. */
  SystemResumeCompleted: 0x5,
  /** The guest's crash was reported. */
  SystemCrashReport: 0x6,
  /** A pending save completed. */
  SystemSaveCompleted: 0x8,
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

/** Hands notifications to the handles that they are for. */
export class NotificationRouter {
  readonly #library: VmComputeLibrary;
  readonly #contexts = new Contexts<Notification>();
  #callback: Deno.PointerValue = null;

  /** @param library Makes the native function, at the first registration. */
  constructor(library: VmComputeLibrary) {
    this.#library = library;
  }

  /** The native function to register. */
  get callback(): Deno.PointerValue {
    return this.#callback ??= this.#library.callback(
      (type, context, status, data) => {
        if (!this.#contexts.has(context)) return;
        const text = readUtf16(data, this.#library.memory) ?? "";
        const notification = { type, status: status >>> 0, data: text };
        this.#contexts.deliver(context, notification);
      },
    );
  }

  /** Adds a target. @returns Its context, never used twice. */
  add(target: ContextTarget<Notification>): bigint {
    return this.#contexts.add(target);
  }

  /** Forgets a target; what still comes for it is dropped. */
  remove(context: bigint): void {
    this.#contexts.remove(context);
  }
}
