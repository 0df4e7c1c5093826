/**
 * The callbacks of `computecore.dll`: one native function for all completions,
 * one for all events, numbers instead of addresses as contexts.
 *
 * @module
 */

import { type ComputeCoreLibrary, hcsEvent } from "../library/computecore.ts";
import { readUtf16 } from "../library/utf16.ts";
import { Contexts } from "./contexts.ts";
import { type Notification, NotificationType } from "./notifications.ts";

/** `HCS_EVENT_TYPE` of `computedefs.h`; vmcompute's notifications have other values. */
export const CoreEventType = {
  /** The system ended. */
  SystemExited: 0x1,
  /** The guest begins to crash. */
  SystemCrashInitiated: 0x2,
  /** The guest's crash was reported. */
  SystemCrashReport: 0x3,
  /** The service's own connection into the guest closed. */
  SystemGuestConnectionClosed: 0x6,
  /** The service is gone; nothing more will come. */
  ServiceDisconnect: 0x02000000,
  /** A step of a live migration. */
  GroupLiveMigration: 0x80000003,
} as const;

/** `HCS_EVENT_OPTIONS`: deliver the events of live migrations too. */
export const enableLiveMigrationEvents = 4;

/** One event, copied. */
export interface CoreEvent {
  /** See {@linkcode CoreEventType}. */
  readonly type: number;
  /** JSON text; empty when the service sent none. */
  readonly data: string;
}

/** What the older DLL calls the events that both have. */
const notificationTypes: Readonly<Record<number, number>> = {
  [CoreEventType.SystemExited]: NotificationType.SystemExited,
  [CoreEventType.SystemCrashInitiated]: NotificationType.SystemCrashInitiated,
  [CoreEventType.SystemCrashReport]: NotificationType.SystemCrashReport,
  [CoreEventType.SystemGuestConnectionClosed]:
    NotificationType.SystemGuestConnectionClosed,
  [CoreEventType.ServiceDisconnect]: NotificationType.ServiceDisconnect,
};

/** The event as a notification, which is understood already; undefined when it is none. */
export function asNotification(event: CoreEvent): Notification | undefined {
  const type = notificationTypes[event.type];
  return type === undefined ? undefined : { type, status: 0, data: event.data };
}

/** The native functions of one library, and whom they call. */
export class CoreCallbacks {
  /** Who waits for the completion of an operation. */
  readonly completions: Contexts<void> = new Contexts();
  /** Who takes the events of a system. */
  readonly events: Contexts<CoreEvent> = new Contexts();
  readonly #library: ComputeCoreLibrary;
  #completion: Deno.PointerValue = null;
  #event: Deno.PointerValue = null;

  /** @param library Makes each native function, at its first use. */
  constructor(library: ComputeCoreLibrary) {
    this.#library = library;
  }

  /** The function for `HcsCreateOperation`. */
  get completion(): Deno.PointerValue {
    return this.#completion ??= this.#library.onCompletion(
      (_operation, context) => this.completions.deliver(context, undefined),
    );
  }

  /** The function for `HcsSetComputeSystemCallback`. */
  get event(): Deno.PointerValue {
    return this.#event ??= this.#library.onEvent((event, context) => {
      if (event === null || !this.events.has(context)) return;
      const view = new Deno.UnsafePointerView(event);
      const data = readUtf16(
        view.getPointer(hcsEvent.data),
        this.#library.memory,
      );
      const type = view.getUint32(hcsEvent.type);
      this.events.deliver(context, { type, data: data ?? "" });
    });
  }
}
