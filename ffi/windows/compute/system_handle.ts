/**
 * An open handle to a compute system: its registration for notifications, the
 * calls under way on it, and its orderly close.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import type { ShimError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";
import { isFailure } from "../library/error_document.ts";
import { HandleUse } from "./handle_use.ts";
import {
  type CallBounds,
  type NativeCalls,
  type Outputs,
  type Reply,
  within,
} from "../library/native_calls.ts";
import type { NotificationRouter } from "./notifications.ts";
import {
  closedError,
  type Expectation,
  outcomeError,
  SystemEvents,
} from "./system_events.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import type { VmComputeSymbols } from "../library/vmcompute.ts";

/** What all handles of one library share. */
export interface HandleContext {
  /** The library's calls. */
  readonly calls: NativeCalls<VmComputeSymbols>;
  /** The library's notifications. */
  readonly router: NotificationRouter;
  /** Source of time. */
  readonly clock: Clock;
  /** Takes what is worth knowing but fails nothing. */
  readonly log: Logger;
  /** Milliseconds for a call that has no bound of its own. */
  readonly callLimit: number;
}

type SymbolName = keyof VmComputeSymbols & string;
type Symbol<K extends SymbolName> = NonNullable<VmComputeSymbols[K]>;

const closing = "hcs::System::Close";

/** One `HCS_SYSTEM` handle. */
export class SystemHandle {
  /** The system's id. */
  readonly id: string;
  /** What the system reports. */
  readonly events: SystemEvents;
  readonly #context: HandleContext;
  readonly #handle: bigint;
  /** Registration with the router and with the DLL; 0 when there is none. */
  #routed = 0n;
  #registered = 0n;
  readonly #use = new HandleUse();
  #release: Promise<void> | undefined;

  /**
   * @param handle The handle; this object closes it.
   * @param id The system's id.
   */
  constructor(context: HandleContext, handle: bigint, id: string) {
    this.#context = context;
    this.#handle = handle;
    this.id = id;
    this.events = new SystemEvents(id, context.log.child({ system: id }));
  }

  /** True once the handle must not be used any more. */
  get closed(): boolean {
    return this.#use.refusing;
  }

  /** Begins the delivery of notifications; those that wait are delivered at once. */
  async register(signal?: AbortSignal): Promise<void> {
    const { router } = this.#context;
    const routed = router.add((notification) =>
      this.events.deliver(notification)
    );
    this.#routed = routed;
    await this.demand(
      "HcsRegisterComputeSystemCallback",
      "hcs::System::registerCallback",
      { signal },
      async (call, handle, out) => {
        const hr = await call(handle, router.callback, routed, out.handle);
        // Kept here, because nobody may be waiting for the reply any more.
        if (!isFailure(hr)) this.#registered = out.handle[0] ?? 0n;
        return hr;
      },
    );
  }

  /**
   * Calls a symbol on the handle.
   *
   * @param operation For example `hcs::System::Modify`.
   * @throws {ShimError} FailedPrecondition on a closed handle; see {@linkcode NativeCalls.call}.
   */
  call<K extends SymbolName>(
    symbol: K,
    operation: string,
    bounds: Partial<CallBounds>,
    invoke: (call: Symbol<K>, handle: bigint, out: Outputs) => Promise<number>,
  ): Promise<Reply> {
    const subject = this.subject(operation);
    const { calls, callLimit } = this.#context;
    if (this.closed) return Promise.reject(closedError(subject));
    return calls.call(
      symbol,
      subject,
      { ms: callLimit, ...bounds },
      // Asked again: the call may have waited for a slot meanwhile.
      (call, out) =>
        this.#use.run(subject, () => invoke(call, this.#handle, out)),
    );
  }

  /** Like {@linkcode SystemHandle.call}. @throws {HResultError} what the DLL answered. */
  async demand<K extends SymbolName>(
    symbol: K,
    operation: string,
    bounds: Partial<CallBounds>,
    invoke: (call: Symbol<K>, handle: bigint, out: Outputs) => Promise<number>,
  ): Promise<Reply> {
    const reply = await this.call(symbol, operation, bounds, invoke);
    if (isFailure(reply.hresult)) {
      throw this.#context.calls.error(this.subject(operation), reply);
    }
    return reply;
  }

  /**
   * Waits for what completes a pending call.
   *
   * @param expectation Made before the call.
   * @param operation For example `hcs::System::Start`.
   * @param bounds Without a time of its own, that of a call holds.
   * @returns Why it failed: what the service reported, or that the system ended,
   *   the service is lost or the handle was closed; undefined for a success.
   * @throws {ShimError} DeadlineExceeded. How the call ends is not known then.
   * @throws The signal's reason when it aborts first; likewise.
   */
  async completion(
    expectation: Expectation,
    operation: string,
    bounds: Partial<CallBounds>,
  ): Promise<ShimError | undefined> {
    const subject = this.subject(operation);
    const { clock, log, callLimit } = this.#context;
    try {
      const outcome = await within(
        clock,
        subject,
        "notification",
        { ms: callLimit, ...bounds },
        () => expectation.outcome,
      );
      return outcomeError(subject, outcome, log);
    } finally {
      expectation.forget();
    }
  }

  /** Asks the service to end the system at once; the reply may be a failure that means success. */
  terminate(): Promise<Reply> {
    this.events.expectTermination();
    return this.stop("HcsTerminateComputeSystem", "hcs::System::Terminate");
  }

  /**
   * Asks the service to end the system.
   *
   * @returns Its answer, which may be a failure that means success.
   * @throws {ShimError} as {@linkcode SystemHandle.call} does.
   */
  stop(
    symbol: "HcsShutdownComputeSystem" | "HcsTerminateComputeSystem",
    operation: string,
  ): Promise<Reply> {
    return this.call(
      symbol,
      operation,
      {},
      (call, handle, out) => call(handle, encodeUtf16(""), out.result),
    );
  }

  /**
   * Unregisters, ends the waits, waits for calls under way and closes the handle.
   * Can be called again after a failure; after a success it does nothing.
   *
   * @throws {HResultError} what the DLL answered; the handle is open then.
   * @throws {ShimError} DeadlineExceeded; the close goes on, a further call waits for it.
   */
  close(): Promise<void> {
    this.#release ??= this.#releaseAll().catch((error) => {
      this.#release = undefined;
      throw error;
    });
    const release = this.#release;
    const { clock, callLimit } = this.#context;
    const bounds = { ms: callLimit };
    return within(
      clock,
      this.subject(closing),
      "its end",
      bounds,
      () => release,
    );
  }

  /** Operation and id, for messages. */
  subject(operation: string): string {
    return `${operation} ${this.id}`;
  }

  async #releaseAll(): Promise<void> {
    const { calls, router } = this.#context;
    await this.#unregister();
    router.remove(this.#routed);
    this.#use.refuse();
    this.events.close();
    await this.#use.drained();
    await this.#unregister(); // the registration itself may have been under way
    const reply = await calls.run(
      "HcsCloseComputeSystem",
      (call) => call(this.#handle),
    );
    if (isFailure(reply.hresult)) {
      throw calls.error(this.subject(closing), reply);
    }
  }

  async #unregister(): Promise<void> {
    const registered = this.#registered;
    if (registered === 0n) return;
    const { calls } = this.#context;
    const reply = await calls.run(
      "HcsUnregisterComputeSystemCallback",
      (call) => call(registered),
    );
    if (isFailure(reply.hresult)) {
      throw calls.error(this.subject(closing), reply);
    }
    this.#registered = 0n;
  }
}
