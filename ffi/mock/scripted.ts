/**
 * A `vmcompute.dll` whose answers a test writes down, and which keeps account of
 * what its user does.
 *
 * @module
 */

import type {
  NotificationReceiver,
  VmComputeLibrary,
  VmComputeSymbols,
} from "../windows/library/vmcompute.ts";
import { MockCallbacks } from "./callbacks.ts";
import { readParameter as text, writeOut } from "./heap.ts";
import { ScriptedLibrary } from "./scripted_library.ts";

type Text = AllowSharedBufferSource | null;
type Handle = number | bigint;

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
export class ScriptedVmCompute extends ScriptedLibrary<VmComputeSymbols>
  implements VmComputeLibrary {
  /** Name for error messages. */
  readonly dll = "vmcompute.dll";
  /** Registered callbacks. */
  readonly callbacks: MockCallbacks = new MockCallbacks(this.memory);
  /** How many native functions were made. */
  functions = 0;

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

  /** What was taken and not given back, and what the real DLL would punish. */
  override leftovers(): readonly string[] {
    const { size } = this.callbacks;
    const callbacks = size === 0 ? [] : [`${size} callbacks`];
    return [...callbacks, ...super.leftovers()];
  }

  /** Closes the native functions. */
  [Symbol.dispose](): void {
    this.callbacks.close();
  }

  /** Makes the table. */
  protected override makeSymbols(): VmComputeSymbols {
    const runtimeId = JSON.stringify({ RuntimeId: scriptedRuntimeId });
    return {
      HcsEnumerateComputeSystems: (query, value, result) =>
        this.reply("HcsEnumerateComputeSystems", [text(query)], {
          value,
          result,
          usual: { value: "[]" },
        }),
      HcsCreateComputeSystem: (id, configuration, identity, handle, result) =>
        this.reply("HcsCreateComputeSystem", [
          text(id),
          text(configuration),
          BigInt(identity),
        ], { handle, result }),
      HcsOpenComputeSystem: (id, handle, result) =>
        this.reply("HcsOpenComputeSystem", [text(id)], { handle, result }),
      HcsCloseComputeSystem: (handle) => {
        const system = BigInt(handle);
        const parameters = { uses: [system], closes: true };
        return this.reply("HcsCloseComputeSystem", [system], parameters);
      },
      HcsStartComputeSystem: this.#onSystem("HcsStartComputeSystem"),
      HcsShutdownComputeSystem: this.#onSystem("HcsShutdownComputeSystem"),
      HcsTerminateComputeSystem: this.#onSystem("HcsTerminateComputeSystem"),
      HcsPauseComputeSystem: this.#onSystem("HcsPauseComputeSystem"),
      HcsResumeComputeSystem: this.#onSystem("HcsResumeComputeSystem"),
      HcsSaveComputeSystem: this.#onSystem("HcsSaveComputeSystem"),
      HcsGetComputeSystemProperties: (handle, query, value, result) => {
        const system = BigInt(handle);
        return this.reply(
          "HcsGetComputeSystemProperties",
          [system, text(query)],
          { uses: [system], value, result, usual: { value: runtimeId } },
        );
      },
      HcsModifyComputeSystem: this.#onSystem("HcsModifyComputeSystem"),
      HcsRegisterComputeSystemCallback: (system, callback, context, handle) =>
        this.#register(BigInt(system), callback, BigInt(context), handle),
      HcsUnregisterComputeSystemCallback: (callback) =>
        this.#unregister(BigInt(callback)),
      HcsGetServiceProperties: (query, value, result) =>
        this.reply("HcsGetServiceProperties", [text(query)], {
          value,
          result,
          usual: { value: "{}" },
        }),
      GrantVmAccess: (vm, path) =>
        this.reply("GrantVmAccess", [text(vm), text(path)]),
      RevokeVmAccess: (vm, path) =>
        this.reply("RevokeVmAccess", [text(vm), text(path)]),
    };
  }

  /** A symbol that takes a system and a document. */
  #onSystem(
    symbol: keyof VmComputeSymbols,
  ): (handle: Handle, document: Text, result: Text) => Promise<number> {
    return (handle, document, result) => {
      const system = BigInt(handle);
      const args = [system, text(document)];
      return this.reply(symbol, args, { uses: [system], result });
    };
  }

  async #register(
    system: bigint,
    callback: Deno.PointerValue,
    context: bigint,
    handle: Text,
  ): Promise<number> {
    const symbol = "HcsRegisterComputeSystemCallback";
    const { after } = this.next(symbol) ?? {};
    const args = [system, context];
    const hresult = await this.reply(symbol, args, { uses: [system] });
    if (hresult >= 0) {
      writeOut(handle, this.callbacks.register(callback, context));
      after?.();
    }
    return hresult;
  }

  async #unregister(callback: bigint): Promise<number> {
    const symbol = "HcsUnregisterComputeSystemCallback";
    const hresult = await this.reply(symbol, [callback]);
    if (hresult >= 0 && !this.callbacks.unregister(callback)) {
      this.misuse.push(`${callback} is no callback`);
    }
    return hresult;
  }
}
