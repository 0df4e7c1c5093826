/**
 * A `vmcompute.dll` whose answers a test writes down, and which keeps account of
 * what its user does.
 *
 * @module
 */

import { HResult } from "../../base/hresult.ts";
import type {
  NotificationReceiver,
  VmComputeLibrary,
  VmComputeSymbols,
} from "../windows/library/vmcompute.ts";
import { MockCallbacks } from "./callbacks.ts";
import { MockHeap, readParameter, writeOut } from "./heap.ts";

/** What one call does; members that are missing keep the usual answer. */
export interface ScriptedReply {
  /** HRESULT, signed or unsigned. */
  readonly hresult?: number;
  /** Handle in the out-parameter; 0 for none. */
  readonly handle?: bigint;
  /** Properties or list; null for a null pointer. */
  readonly value?: string | null;
  /** Result or error document. */
  readonly result?: string;
  /** The call returns when this has settled. */
  readonly gate?: Promise<void>;
  /** Runs inside the call, just before it returns. */
  readonly before?: () => void;
  /** For a registration: runs inside the call, once the callback is registered. */
  readonly after?: () => void;
  /** The call throws instead of returning. */
  readonly throws?: Error;
}

/** One call that was made. */
export interface ScriptedCall {
  /** Name of the symbol. */
  readonly symbol: keyof VmComputeSymbols;
  /** Its in-parameters: strings and handles. */
  readonly args: readonly (string | bigint)[];
}

type Out = AllowSharedBufferSource | null;

/** RuntimeId of every system, unless a script answers another one. */
export const scriptedRuntimeId = "11111111-2222-3333-4444-555555555555";

/**
 * The scripted DLL. Calls without a script succeed at once.
 *
 * @example Fail the next start
 * ```ts
 * import { ScriptedVmCompute } from "./scripted.ts";
 * using library = new ScriptedVmCompute();
 * library.on("HcsStartComputeSystem", { hresult: 0x80070005 });
 * ```
 */
export class ScriptedVmCompute implements VmComputeLibrary {
  /** Name for error messages. */
  readonly dll = "vmcompute.dll";
  /** The strings that it handed out. */
  readonly memory: MockHeap = new MockHeap();
  /** Registered callbacks. */
  readonly callbacks: MockCallbacks = new MockCallbacks(this.memory);
  /** Every call, in order. */
  readonly calls: ScriptedCall[] = [];
  /** What the real DLL would punish: use of closed handles, double closes. */
  readonly misuse: string[] = [];
  /** Handles of systems that are open. */
  readonly open: Set<bigint> = new Set();
  /** Calls under way. */
  running = 0;
  /** Most calls that ever were under way at once. */
  peak = 0;
  /** How many native functions were made. */
  functions = 0;
  #symbols: VmComputeSymbols;
  readonly #scripts = new Map<string, ScriptedReply[]>();
  #lastHandle = 0x8000_0000_0000n; // beyond what 32 bits hold

  /** All symbols present, nothing scripted. */
  constructor() {
    this.#symbols = this.#makeSymbols();
  }

  /** The raw symbols. */
  get symbols(): VmComputeSymbols {
    return this.#symbols;
  }

  /** Scripts the next call of a symbol that has no script yet. */
  on(symbol: keyof VmComputeSymbols, reply: ScriptedReply): this {
    const replies = this.#scripts.get(symbol) ?? [];
    this.#scripts.set(symbol, [...replies, reply]);
    return this;
  }

  /** Pretends a version of the DLL that lacks a symbol. */
  lack(symbol: keyof VmComputeSymbols): this {
    this.#symbols = { ...this.#symbols, [symbol]: null };
    return this;
  }

  /** Names of the symbols called, in order. */
  get called(): readonly string[] {
    return this.calls.map((call) => call.symbol);
  }

  /** Makes a native function. */
  callback(receiver: NotificationReceiver): Deno.PointerValue {
    this.functions++;
    return this.callbacks.make(receiver);
  }

  /** Sends a notification to every registered callback. */
  notify(type: number, status = 0, data?: string): void {
    for (const handle of this.callbacks.handles) {
      this.callbacks.notify(handle, type, status, data);
    }
  }

  /** Closes the native functions. */
  [Symbol.dispose](): void {
    this.callbacks.close();
  }

  #makeSymbols(): VmComputeSymbols {
    const text = readParameter;
    return {
      HcsEnumerateComputeSystems: (query, value, result) =>
        this.#reply("HcsEnumerateComputeSystems", [text(query)], {
          value,
          result,
        }, { value: "[]" }),
      HcsCreateComputeSystem: (id, configuration, identity, handle, result) =>
        this.#reply("HcsCreateComputeSystem", [
          text(id),
          text(configuration),
          BigInt(identity),
        ], { handle, result }),
      HcsOpenComputeSystem: (id, handle, result) =>
        this.#reply("HcsOpenComputeSystem", [text(id)], { handle, result }),
      HcsCloseComputeSystem: (system) =>
        this.#reply("HcsCloseComputeSystem", [BigInt(system)], {}),
      HcsStartComputeSystem: (system, options, result) =>
        this.#reply("HcsStartComputeSystem", [BigInt(system), text(options)], {
          result,
        }),
      HcsTerminateComputeSystem: (system, options, result) =>
        this.#reply("HcsTerminateComputeSystem", [
          BigInt(system),
          text(options),
        ], { result }),
      HcsGetComputeSystemProperties: (system, query, value, result) =>
        this.#reply(
          "HcsGetComputeSystemProperties",
          [
            BigInt(system),
            text(query),
          ],
          { value, result },
          {
            value: JSON.stringify({ RuntimeId: scriptedRuntimeId }),
          },
        ),
      HcsModifyComputeSystem: (system, configuration, result) =>
        this.#reply("HcsModifyComputeSystem", [
          BigInt(system),
          text(configuration),
        ], { result }),
      HcsRegisterComputeSystemCallback: async (
        system,
        callback,
        context,
        handle,
      ) => {
        const { after } = this.#next("HcsRegisterComputeSystemCallback") ?? {};
        const hresult = await this.#reply(
          "HcsRegisterComputeSystemCallback",
          [BigInt(system), BigInt(context)],
          {},
        );
        if (hresult >= 0) {
          writeOut(handle, this.callbacks.register(callback, BigInt(context)));
          after?.();
        }
        return hresult;
      },
      HcsUnregisterComputeSystemCallback: async (callback) => {
        const hresult = await this.#reply(
          "HcsUnregisterComputeSystemCallback",
          [BigInt(callback)],
          {},
        );
        if (hresult >= 0 && !this.callbacks.unregister(BigInt(callback))) {
          this.misuse.push(`${callback} is no callback`);
        }
        return hresult;
      },
      HcsGetServiceProperties: (query, value, result) =>
        this.#reply("HcsGetServiceProperties", [text(query)], {
          value,
          result,
        }, { value: "{}" }),
      GrantVmAccess: (vm, path) =>
        this.#reply("GrantVmAccess", [text(vm), text(path)], {}),
      RevokeVmAccess: (vm, path) =>
        this.#reply("RevokeVmAccess", [text(vm), text(path)], {}),
    };
  }

  /** The script of the next call of a symbol. */
  #next(symbol: keyof VmComputeSymbols): ScriptedReply | undefined {
    return this.#scripts.get(symbol)?.[0];
  }

  async #reply(
    symbol: keyof VmComputeSymbols,
    args: readonly (string | bigint)[],
    out: { handle?: Out; value?: Out; result?: Out },
    usual: ScriptedReply = {},
  ): Promise<number> {
    this.calls.push({ symbol, args });
    this.peak = Math.max(this.peak, ++this.running);
    try {
      const script = this.#next(symbol);
      this.#scripts.get(symbol)?.shift();
      const reply = { ...usual, ...script };
      await reply.gate;
      reply.before?.();
      if (reply.throws !== undefined) throw reply.throws;
      const hresult = (reply.hresult ?? 0) | 0;
      if (!this.#account(symbol, args, hresult)) {
        return HResult.InvalidHandle | 0;
      }
      const done = hresult >= 0 || hresult === (HResult.Pending | 0);
      if (out.handle !== undefined && (done || reply.handle !== undefined)) {
        const handle = reply.handle ?? ++this.#lastHandle;
        if (handle !== 0n) this.open.add(handle);
        writeOut(out.handle, handle);
      }
      const { value, result } = reply;
      const hasValue = typeof value === "string" && out.value !== undefined;
      const answers = script?.value !== undefined || done;
      if (hasValue && answers) {
        writeOut(out.value ?? null, this.memory.text(value));
      }
      if (result !== undefined && out.result !== undefined) {
        writeOut(out.result, this.memory.text(result));
      }
      return hresult;
    } finally {
      this.running--;
    }
  }

  /** @returns False when the call uses a handle that is not open. */
  #account(
    symbol: keyof VmComputeSymbols,
    [system]: readonly (string | bigint)[],
    hresult: number,
  ): boolean {
    const takesSystem = symbol !== "HcsUnregisterComputeSystemCallback" &&
      typeof system === "bigint";
    if (!takesSystem) return true;
    if (!this.open.has(system)) {
      this.misuse.push(`${symbol} with a handle that is not open`);
      return false;
    }
    if (symbol === "HcsCloseComputeSystem" && hresult >= 0) {
      this.open.delete(system);
    }
    return true;
  }
}
