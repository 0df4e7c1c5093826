/**
 * An open handle to a compute system: its registration for notifications, the
 * calls under way on it, and its orderly close.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import type { ShimError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";
import { isFailure } from "./error_document.ts";
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
  #underWay = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  /** The handle must not be used any more: it is being closed, or closed. */
  #refusing = false;
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
    return this.#refusing;
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
    if (this.#refusing) return Promise.reject(closedError(subject));
    return calls.call(
      symbol,
      subject,
      { ms: callLimit, ...bounds },
      async (call, out) => {
        // The handle may have been closed while the call waited for a slot.
        if (this.#refusing) throw closedError(subject);
        this.#underWay++;
        try {
          return await invoke(call, this.#handle, out);
        } finally {
          if (--this.#underWay === 0) this.#drained?.resolve();
        }
      },
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
   * @returns Why it failed: what the service reported, or that the system ended,
   *   the service is lost or the handle was closed; undefined for a success.
   * @throws {ShimError} DeadlineExceeded. How the call ends is not known then.
   * @throws The signal's reason when it aborts first; likewise.
   */
  async completion(
    expectation: Expectation,
    operation: string,
    bounds: { readonly ms: number; readonly signal?: AbortSignal | undefined },
  ): Promise<ShimError | undefined> {
    const subject = this.subject(operation);
    const { clock, log } = this.#context;
    try {
      const outcome = await within(
        clock,
        subject,
        "notification",
        bounds,
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
    return this.call(
      "HcsTerminateComputeSystem",
      "hcs::System::Terminate",
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
    this.#refusing = true;
    this.events.close();
    if (this.#underWay > 0) {
      this.#drained = Promise.withResolvers();
      await this.#drained.promise;
      await this.#unregister(); // the registration itself was under way
    }
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
