/**
 * The open handles of a pretended `vmcompute.dll`, and the notifications that it
 * owes their users.
 *
 * @module
 */

import { HResult, HResultError } from "../../base/hresult.ts";
import type { ComputeSystem, ExitInfo } from "../../hcs/ports.ts";
import { NotificationType } from "../windows/compute/notifications.ts";
import type { NotificationReceiver } from "../windows/library/vmcompute.ts";
import { MockCallbacks } from "./callbacks.ts";
import { nativeFailure } from "./errors.ts";
import { type MockHeap, writeOut } from "./heap.ts";

/** Notifications wait until somebody registers for them. */
interface Waiting {
  readonly type: number;
  readonly status: number;
  readonly data?: string;
}

/** One open handle. */
export interface OpenSystem {
  /** The system, once its host has made it. */
  readonly ready: Promise<ComputeSystem>;
  /** Set once it is ready. */
  system: ComputeSystem | undefined;
  /** Ends what is under way when the handle is closed, or a create terminated. */
  readonly cancel: AbortController;
  /** Not delivered yet. */
  readonly waiting: Waiting[];
  /** Handle of its callback; 0 without one. */
  callback: bigint;
}

type Out = AllowSharedBufferSource | null;

/** All open handles and their callbacks. */
export class MockSystems {
  readonly #callbacks: MockCallbacks;
  readonly #open = new Map<bigint, OpenSystem>();
  /** The system of a callback handle. */
  readonly #registered = new Map<bigint, OpenSystem>();
  #lastHandle = 0x1_0000_0000n; // beyond what 32 bits hold

  /** @param heap Holds the data of a notification during its delivery. */
  constructor(heap: MockHeap) {
    this.#callbacks = new MockCallbacks(heap);
  }

  /** How many handles are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Makes a native function. */
  callback(receiver: NotificationReceiver): Deno.PointerValue {
    return this.#callbacks.make(receiver);
  }

  /** Closes the native functions; no notification may follow. */
  dispose(): void {
    this.#registered.clear();
    this.#callbacks.close();
  }

  /** The system of a handle. @throws {HResultError} when it is no open handle. */
  find(handle: number | bigint): OpenSystem {
    const open = this.#open.get(BigInt(handle));
    if (open === undefined) throw invalidHandle(handle);
    return open;
  }

  /** Opens a handle. */
  open(
    out: Out,
    ready: Promise<ComputeSystem>,
    cancel: AbortController = new AbortController(),
  ): OpenSystem {
    const handle = ++this.#lastHandle;
    const open: OpenSystem = {
      ready,
      system: undefined,
      cancel,
      waiting: [],
      callback: 0n,
    };
    this.#open.set(handle, open);
    writeOut(out, handle);
    return open;
  }

  /** Closes a handle. @throws {HResultError} when it is no open handle. */
  async close(handle: bigint): Promise<void> {
    const open = this.find(handle);
    this.#open.delete(handle);
    this.#registered.delete(open.callback);
    this.#callbacks.unregister(open.callback);
    open.cancel.abort();
    const system = await open.ready.catch(() => undefined);
    await system?.close();
  }

  /** Registers a callback, and delivers what waits for one. */
  register(
    handle: number | bigint,
    callback: Deno.PointerValue,
    context: bigint,
    out: Out,
  ): void {
    const open = this.find(handle);
    open.callback = this.#callbacks.register(callback, context);
    this.#registered.set(open.callback, open);
    writeOut(out, open.callback);
    for (const { type, status, data } of open.waiting.splice(0)) {
      this.#callbacks.notify(open.callback, type, status, data);
    }
  }

  /** Ends a registration. @throws {HResultError} when there is none. */
  unregister(callback: bigint): void {
    const open = this.#registered.get(callback);
    if (open === undefined) throw invalidHandle(callback);
    open.callback = 0n;
    this.#registered.delete(callback);
    this.#callbacks.unregister(callback);
  }

  /** Notifies when `work`, which was answered with "pending", is done. */
  report(
    open: OpenSystem,
    work: Promise<ComputeSystem | void>,
    type: number,
  ): void {
    work.then((made) => {
      if (made !== undefined) this.watch(open, made);
      this.#notify(open, { type, status: 0 });
    }, (error) => {
      const { hresult, document } = nativeFailure(error);
      this.#notify(open, { type, status: hresult, data: document });
    });
  }

  /** Notifies when the system has ended, or its host is lost. */
  watch(open: OpenSystem, system: ComputeSystem): void {
    open.system = system;
    system.exited.then(
      (info) => this.#notify(open, exitNotification(info)),
      () =>
        this.#notify(open, {
          type: NotificationType.ServiceDisconnect,
          status: 0,
        }),
    );
  }

  #notify(open: OpenSystem, notification: Waiting): void {
    if (open.callback === 0n) {
      open.waiting.push(notification);
      return;
    }
    const { type, status, data } = notification;
    this.#callbacks.notify(open.callback, type, status, data);
  }
}

function invalidHandle(handle: number | bigint): HResultError {
  return new HResultError(HResult.InvalidHandle, `${handle} is no open handle`);
}

function exitNotification({ status, exitType }: ExitInfo): Waiting {
  const crashed = exitType === "UnexpectedExit";
  return {
    type: NotificationType.SystemExited,
    status: crashed ? HResult.UnexpectedExit : 0,
    data: JSON.stringify({ Status: status | 0, ExitType: exitType }),
  };
}
