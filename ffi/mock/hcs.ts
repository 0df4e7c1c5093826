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
import type { ComputeHost } from "../../hcs/ports.ts";
import { NotificationType } from "../windows/compute/notifications.ts";
import type {
  NotificationReceiver,
  VmComputeLibrary,
  VmComputeSymbols,
} from "../windows/library/vmcompute.ts";
import { nativeFailure } from "./errors.ts";
import { MockHeap, readParameter, writeOut } from "./heap.ts";
import { MockSystems } from "./systems.ts";

type Text = AllowSharedBufferSource | null;
type Handle = number | bigint;

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
  readonly #systems = new MockSystems(this.memory);

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
    return this.#systems.callback(receiver);
  }

  /** Closes the native functions; no notification may follow. */
  [Symbol.dispose](): void {
    this.#systems.dispose();
  }

  #makeSymbols(): VmComputeSymbols {
    const host = this.#host;
    const systems = this.#systems;
    return {
      HcsEnumerateComputeSystems: (query, list, result) =>
        this.#answer(result, async () => {
          const rows = await host.enumerate(parseJson(readParameter(query)));
          this.#give(list, rows);
        }),
      HcsCreateComputeSystem: (id, configuration, _identity, handle, result) =>
        this.#answer(result, () => {
          const document = configurationOf(configuration);
          const cancel = new AbortController();
          const name = readParameter(id);
          const ready = host.create(name, document, cancel.signal);
          const open = systems.open(handle, ready, cancel);
          systems.report(open, ready, NotificationType.SystemCreateCompleted);
          return pending;
        }),
      HcsOpenComputeSystem: (id, handle, result) =>
        this.#answer(result, async () => {
          const system = await host.open(readParameter(id));
          const ready = Promise.resolve(system);
          systems.watch(systems.open(handle, ready), system);
        }),
      HcsCloseComputeSystem: (handle) =>
        this.#answer(undefined, () => systems.close(BigInt(handle))),
      HcsStartComputeSystem: (handle, _options, result) =>
        this.#answer(result, () => {
          const open = systems.find(handle);
          const started = open.ready.then((system) =>
            system.start(open.cancel.signal)
          );
          systems.report(open, started, NotificationType.SystemStartCompleted);
          return pending;
        }),
      // A host has one way to stop a system.
      HcsShutdownComputeSystem: (handle, _options, result) =>
        this.#terminate(handle, result),
      HcsTerminateComputeSystem: (handle, _options, result) =>
        this.#terminate(handle, result),
      HcsPauseComputeSystem: (handle, _options, result) =>
        this.#refuse(handle, result, "pauses no system"),
      HcsResumeComputeSystem: (handle, _options, result) =>
        this.#refuse(handle, result, "resumes no system"),
      HcsSaveComputeSystem: (handle, _options, result) =>
        this.#refuse(handle, result, "saves no system"),
      HcsGetComputeSystemProperties: (handle, query, properties, result) =>
        this.#answer(result, async () => {
          const system = await systems.find(handle).ready;
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
          const system = await systems.find(handle).ready;
          await system.modify(configurationOf(configuration));
        }),
      HcsRegisterComputeSystemCallback: (handle, callback, context, out) =>
        this.#answer(
          undefined,
          () => systems.register(handle, callback, BigInt(context), out),
        ),
      HcsUnregisterComputeSystemCallback: (callback) =>
        this.#answer(undefined, () => systems.unregister(BigInt(callback))),
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

  #terminate(handle: Handle, result: Text): Promise<number> {
    return this.#answer(result, async () => {
      const open = this.#systems.find(handle);
      if (open.system === undefined) open.cancel.abort();
      await open.system?.terminate();
      return pending;
    });
  }

  /** Answers a call for which a {@linkcode ComputeHost} has nothing. */
  #refuse(handle: Handle, result: Text, what: string): Promise<number> {
    return this.#answer(result, () => {
      this.#systems.find(handle);
      throw new HResultError(HResult.NotImplemented, `This host ${what}`);
    });
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
