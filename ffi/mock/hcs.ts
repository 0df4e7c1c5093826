/**
 * The other direction of `ffi/windows`: makes a `vmcompute.dll` of a
 * {@linkcode ComputeHost}, so that a simulated host is reached the way the real
 * one is: strings behind pointers, out-parameters, pending results and
 * notifications that come later.
 *
 * @module
 */

import { HResult, HResultError } from "../../base/hresult.ts";
import { formatJson, isJsonObject, parseJson } from "../../base/json.ts";
import type { ComputeHost, ComputeSystem, ExitInfo } from "../../hcs/ports.ts";
import { NotificationType } from "../windows/compute/notifications.ts";
import type {
  NotificationReceiver,
  VmComputeLibrary,
  VmComputeSymbols,
} from "../windows/library/vmcompute.ts";
import { MockCallbacks } from "./callbacks.ts";
import { nativeFailure } from "./errors.ts";
import { MockHeap, readParameter, writeOut } from "./heap.ts";

type Text = AllowSharedBufferSource | null;

/** Notifications wait until somebody registers for them. */
interface Waiting {
  readonly type: number;
  readonly status: number;
  readonly data?: string;
}

interface OpenSystem {
  readonly ready: Promise<ComputeSystem>;
  /** Set once it is ready. */
  system: ComputeSystem | undefined;
  /** Ends what is under way when the handle is closed, or a create terminated. */
  readonly cancel: AbortController;
  readonly waiting: Waiting[];
  callback: bigint;
}

/** Results as `i32`. */
const ok = 0;
const pending = HResult.Pending | 0;

/** A compute host behind the symbol table of `vmcompute.dll`. */
export class MockVmCompute implements VmComputeLibrary {
  /** Name for error messages. */
  readonly dll = "vmcompute.dll";
  /** The strings that it handed out. */
  readonly memory: MockHeap = new MockHeap();
  /** The raw symbols. */
  readonly symbols: VmComputeSymbols;
  readonly #host: ComputeHost;
  readonly #callbacks = new MockCallbacks(this.memory);
  readonly #systems = new Map<bigint, OpenSystem>();
  /** The system of a callback handle. */
  readonly #registered = new Map<bigint, OpenSystem>();
  #lastHandle = 0x1_0000_0000n; // beyond what 32 bits hold

  /** @param host Gets every call. */
  constructor(host: ComputeHost) {
    this.#host = host;
    this.symbols = this.#makeSymbols();
  }

  /** How many system handles are open. */
  get openHandles(): number {
    return this.#systems.size;
  }

  /** Makes a native function. */
  callback(receiver: NotificationReceiver): Deno.PointerValue {
    return this.#callbacks.make(receiver);
  }

  /** Closes the native functions; no notification may follow. */
  [Symbol.dispose](): void {
    this.#registered.clear();
    this.#callbacks.close();
  }

  #makeSymbols(): VmComputeSymbols {
    const host = this.#host;
    return {
      HcsEnumerateComputeSystems: (query, systems, result) =>
        this.#answer(result, async () => {
          const rows = await host.enumerate(parseJson(readParameter(query)));
          this.#give(systems, rows);
        }),
      HcsCreateComputeSystem: (id, configuration, _identity, handle, result) =>
        this.#answer(result, () => {
          const document = configurationOf(configuration);
          const cancel = new AbortController();
          const name = readParameter(id);
          const ready = host.create(name, document, cancel.signal);
          const system = this.#open(handle, ready, cancel);
          this.#report(
            system,
            ready,
            NotificationType.SystemCreateCompleted,
          );
          return pending;
        }),
      HcsOpenComputeSystem: (id, handle, result) =>
        this.#answer(result, async () => {
          const system = await host.open(readParameter(id));
          const ready = Promise.resolve(system);
          this.#watch(this.#open(handle, ready, new AbortController()), system);
        }),
      HcsCloseComputeSystem: (handle) =>
        this.#answer(undefined, () => this.#close(BigInt(handle))),
      HcsStartComputeSystem: (handle, _options, result) =>
        this.#answer(result, () => {
          const open = this.#find(handle);
          const started = open.ready.then((system) =>
            system.start(open.cancel.signal)
          );
          this.#report(open, started, NotificationType.SystemStartCompleted);
          return pending;
        }),
      HcsTerminateComputeSystem: (handle, _options, result) =>
        this.#answer(result, async () => {
          const open = this.#find(handle);
          if (open.system === undefined) open.cancel.abort();
          await open.system?.terminate();
          return pending;
        }),
      HcsGetComputeSystemProperties: (handle, query, properties, result) =>
        this.#answer(result, async () => {
          const system = await this.#find(handle).ready;
          const { id, runtimeId } = system;
          const answer = await system.properties(
            parseJson(readParameter(query)),
          );
          // The service names the system in every reply.
          const named = isJsonObject(answer)
            ? { Id: id, RuntimeId: runtimeId, ...answer }
            : answer;
          this.#give(properties, named);
        }),
      HcsModifyComputeSystem: (handle, configuration, result) =>
        this.#answer(result, async () => {
          const system = await this.#find(handle).ready;
          await system.modify(configurationOf(configuration));
        }),
      HcsRegisterComputeSystemCallback: (handle, callback, context, out) =>
        this.#answer(undefined, () => {
          const open = this.#find(handle);
          open.callback = this.#callbacks.register(callback, BigInt(context));
          this.#registered.set(open.callback, open);
          writeOut(out, open.callback);
          for (const { type, status, data } of open.waiting.splice(0)) {
            this.#callbacks.notify(open.callback, type, status, data);
          }
        }),
      HcsUnregisterComputeSystemCallback: (callback) =>
        this.#answer(undefined, () => this.#unregister(BigInt(callback))),
      HcsGetServiceProperties: (query, properties, result) =>
        this.#answer(result, async () => {
          const answer = await host.serviceProperties(
            parseJson(readParameter(query)),
          );
          this.#give(properties, answer);
        }),
      GrantVmAccess: (vm, path) =>
        this.#answer(
          undefined,
          () => host.grantAccess(readParameter(vm), readParameter(path)),
        ),
      RevokeVmAccess: (vm, path) =>
        this.#answer(
          undefined,
          () => host.revokeAccess(readParameter(vm), readParameter(path)),
        ),
    };
  }

  /** Runs a call; an error becomes an HRESULT and, where there is room, a document. */
  async #answer(
    result: Text | undefined,
    call: () => number | void | Promise<number | void>,
  ): Promise<number> {
    try {
      return (await call()) ?? ok;
    } catch (error) {
      const { hresult, document } = nativeFailure(error);
      if (result !== undefined) writeOut(result, this.memory.text(document));
      return hresult | 0;
    }
  }

  #give(out: Text, value: unknown): void {
    writeOut(out, this.memory.text(formatJson(value)));
  }

  #find(handle: number | bigint): OpenSystem {
    const open = this.#systems.get(BigInt(handle));
    if (open === undefined) throw invalidHandle(handle);
    return open;
  }

  #open(
    out: Text,
    ready: Promise<ComputeSystem>,
    cancel: AbortController,
  ): OpenSystem {
    const handle = ++this.#lastHandle;
    const open: OpenSystem = {
      ready,
      system: undefined,
      cancel,
      waiting: [],
      callback: 0n,
    };
    this.#systems.set(handle, open);
    writeOut(out, handle);
    return open;
  }

  async #close(handle: bigint): Promise<void> {
    const open = this.#find(handle);
    this.#systems.delete(handle);
    this.#registered.delete(open.callback);
    this.#callbacks.unregister(open.callback);
    open.cancel.abort();
    const system = await open.ready.catch(() => undefined);
    await system?.close();
  }

  #unregister(callback: bigint): void {
    const open = this.#registered.get(callback);
    if (open === undefined) throw invalidHandle(callback);
    open.callback = 0n;
    this.#registered.delete(callback);
    this.#callbacks.unregister(callback);
  }

  /** Notifies when `work`, which was answered with "pending", is done. */
  #report(
    open: OpenSystem,
    work: Promise<ComputeSystem | void>,
    type: number,
  ): void {
    work.then((made) => {
      if (made !== undefined) this.#watch(open, made);
      this.#notify(open, { type, status: ok });
    }, (error) => {
      const { hresult, document } = nativeFailure(error);
      this.#notify(open, { type, status: hresult, data: document });
    });
  }

  /** Notifies when the system has ended, or its host is lost. */
  #watch(open: OpenSystem, system: ComputeSystem): void {
    open.system = system;
    system.exited.then(
      (info) => this.#notify(open, exitNotification(info)),
      () =>
        this.#notify(open, {
          type: NotificationType.ServiceDisconnect,
          status: ok,
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

/**
 * Makes a `vmcompute.dll` of a compute host.
 *
 * @example The production path over any host
 * ```ts ignore
 * using library = mockVmCompute(new SimulatedHost());
 * const compute = new VmCompute(library);
 * ```
 */
export function mockVmCompute(host: ComputeHost): MockVmCompute {
  return new MockVmCompute(host);
}

function invalidHandle(handle: number | bigint): HResultError {
  return new HResultError(HResult.InvalidHandle, `${handle} is no open handle`);
}

function configurationOf(text: Text): ReturnType<typeof parseJson> {
  const configuration = readParameter(text);
  try {
    return parseJson(configuration, "the configuration");
  } catch (cause) {
    throw new HResultError(
      HResult.InvalidJson,
      cause instanceof Error ? cause.message : String(cause),
      { cause },
    );
  }
}

function exitNotification({ status, exitType }: ExitInfo): Waiting {
  const crashed = exitType === "UnexpectedExit";
  return {
    type: NotificationType.SystemExited,
    status: crashed ? HResult.UnexpectedExit : ok,
    data: JSON.stringify({ Status: status | 0, ExitType: exitType }),
  };
}
