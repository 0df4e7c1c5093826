/**
 * A `computecore.dll` whose answers a test writes down, and which keeps account
 * of what its user does.
 *
 * @module
 */

import {
  completionCallback,
  type CompletionReceiver,
  type ComputeCoreLibrary,
  type ComputeCoreSymbols,
  eventCallback,
  type EventReceiver,
} from "../windows/library/computecore.ts";
import { MockEvents } from "./events.ts";
import { readParameter as text, writeOut } from "./heap.ts";
import { type Completion, MockOperations } from "./operations.ts";
import { scriptedRuntimeId } from "./scripted.ts";
import {
  type CallParameters,
  ScriptedLibrary,
  type ScriptedReply,
} from "./scripted_library.ts";

/** What one call does; members that are missing keep the usual answer. */
export interface ScriptedCoreReply extends ScriptedReply {
  /**
   * When an accepted request completes: before its call returns, soon after (as
   * usual), or when the test calls {@linkcode ScriptedComputeCore.complete}.
   */
  readonly completes?: "before" | "after" | "later";
  /** How it ends. */
  readonly completion?: Completion;
}

type Handle = number | bigint;
type Text = AllowSharedBufferSource | null;
type Name = keyof ComputeCoreSymbols;

/**
 * The scripted DLL. Calls without a script succeed, and their operations complete
 * with success.
 *
 * @example Fail the next start
 * ```ts
 * import { ScriptedComputeCore } from "./scripted_core.ts";
 * using library = new ScriptedComputeCore();
 * library.on("HcsStartComputeSystem", { completion: { hresult: 0x80070005 } });
 * ```
 */
export class ScriptedComputeCore
  extends ScriptedLibrary<ComputeCoreSymbols, ScriptedCoreReply>
  implements ComputeCoreLibrary {
  /** Name for error messages. */
  readonly dll = "computecore.dll";
  /** How many native functions were made. */
  functions = 0;
  readonly #functions: { close(): void }[] = [];
  readonly #operations = new MockOperations();
  readonly #events = new MockEvents(this.memory);

  /** Makes a native function. */
  onCompletion(receiver: CompletionReceiver): Deno.PointerValue {
    const made = Deno.UnsafeCallback.threadSafe(completionCallback, receiver);
    return this.#keep(made);
  }

  /** Makes a native function. */
  onEvent(receiver: EventReceiver): Deno.PointerValue {
    return this.#keep(Deno.UnsafeCallback.threadSafe(eventCallback, receiver));
  }

  /** Sends an event to every open system. @param data Text; undefined for a null pointer. */
  event(type: number, data?: string): void {
    this.#events.send(type, data);
  }

  /** Ends every request that is under way. */
  complete(completion: Completion = {}): void {
    this.#operations.completeAll(completion);
  }

  /** Closes the native functions. */
  [Symbol.dispose](): void {
    this.#operations.clear();
    this.#events.clear();
    for (const made of this.#functions.splice(0)) made.close();
  }

  /** Makes the table. */
  protected override makeSymbols(): ComputeCoreSymbols {
    const runtimeId = JSON.stringify({ RuntimeId: scriptedRuntimeId });
    return {
      HcsCreateOperation: (context, callback) =>
        this.#createOperation(BigInt(context), callback),
      HcsCloseOperation: async (handle) => {
        await this.#close("HcsCloseOperation", BigInt(handle));
        this.#operations.remove(BigInt(handle));
      },
      HcsGetOperationResult: (handle, result) =>
        this.#result(BigInt(handle), result),
      HcsAddResourceToOperation: (handle, type, uri, resource) => {
        const operation = BigInt(handle);
        const args = [operation, BigInt(type), text(uri), BigInt(resource)];
        const uses = [operation];
        return this.reply("HcsAddResourceToOperation", args, { uses });
      },
      HcsCancelOperation: (handle) => {
        const operation = BigInt(handle);
        const uses = [operation];
        return this.reply("HcsCancelOperation", uses, { uses });
      },
      HcsCreateComputeSystem: (id, document, operation, security, handle) => {
        if (security !== null) this.misuse.push("a security descriptor");
        const args = [text(id), text(document)];
        const parameters = { uses: [BigInt(operation)], handle };
        return this.#request("HcsCreateComputeSystem", args, parameters);
      },
      HcsOpenComputeSystem: (id, access, handle) =>
        this.reply("HcsOpenComputeSystem", [text(id), BigInt(access)], {
          handle,
        }),
      HcsCloseComputeSystem: async (handle) => {
        await this.#close("HcsCloseComputeSystem", BigInt(handle));
        this.#events.remove(BigInt(handle));
      },
      HcsStartComputeSystem: this.#onSystem("HcsStartComputeSystem"),
      HcsTerminateComputeSystem: this.#onSystem("HcsTerminateComputeSystem"),
      HcsGetComputeSystemProperties: this.#onSystem(
        "HcsGetComputeSystemProperties",
        { document: runtimeId },
      ),
      HcsModifyComputeSystem: (system, operation, document, identity) => {
        if (BigInt(identity) !== 0n) this.misuse.push("an identity");
        const modify = this.#onSystem("HcsModifyComputeSystem");
        return modify(system, operation, document);
      },
      HcsSetComputeSystemCallback: (system, options, context, callback) =>
        this.#register(
          BigInt(system),
          BigInt(options),
          BigInt(context),
          callback,
        ),
      HcsInitializeLiveMigrationOnSource: this.#onSystem(
        "HcsInitializeLiveMigrationOnSource",
      ),
      HcsStartLiveMigrationOnSource: this.#onSystem(
        "HcsStartLiveMigrationOnSource",
      ),
      HcsStartLiveMigrationTransfer: this.#onSystem(
        "HcsStartLiveMigrationTransfer",
      ),
      HcsFinalizeLiveMigration: this.#onSystem("HcsFinalizeLiveMigration"),
      HcsCancelLiveMigration: this.#onSystem("HcsCancelLiveMigration"),
    };
  }

  #keep<D extends Deno.UnsafeCallbackDefinition>(
    made: Deno.UnsafeCallback<D>,
  ): Deno.PointerValue {
    made.unref();
    this.functions++;
    this.#functions.push(made);
    return made.pointer;
  }

  /** A symbol that takes a system, an operation and a document. */
  #onSystem(
    symbol: Name,
    usual: Completion = {},
  ): (system: Handle, operation: Handle, document: Text) => Promise<number> {
    return (handle, operation, document) => {
      const system = BigInt(handle);
      const args = [system, text(document)];
      const parameters = { uses: [BigInt(operation), system] };
      return this.#request(symbol, args, parameters, usual);
    };
  }

  /** A request; the first handle that it uses is its operation. */
  async #request(
    symbol: Name,
    args: readonly (string | bigint)[],
    parameters: CallParameters,
    usual: Completion = {},
  ): Promise<number> {
    const script = this.next(symbol) ?? {};
    const { completes = "after", completion = usual } = script;
    const [operation = 0n] = parameters.uses ?? [];
    const operations = this.#operations;
    if (!operations.begin(operation)) {
      this.misuse.push(`${symbol} with an operation that tracks another one`);
    }
    if (completes === "before") operations.complete(operation, completion);
    const hresult = await this.reply(symbol, args, parameters);
    if (hresult < 0) {
      const { result } = script;
      const document = result === undefined ? {} : { document: result };
      operations.fail(operation, { hresult, ...document });
    } else if (completes === "after") {
      queueMicrotask(() => operations.complete(operation, completion));
    }
    return hresult;
  }

  async #createOperation(
    context: bigint,
    callback: Deno.PointerValue,
  ): Promise<bigint> {
    const out = new BigUint64Array(1);
    const parameters = { handle: out };
    await this.reply("HcsCreateOperation", [context], parameters);
    const handle = out[0] ?? 0n;
    if (handle !== 0n) this.#operations.add(handle, callback, context);
    return handle;
  }

  async #result(handle: bigint, result: Text): Promise<number> {
    const uses = [handle];
    const code = await this.reply("HcsGetOperationResult", uses, {
      uses,
      result,
    });
    if (code < 0) return code;
    const completion = this.#operations.completion(handle);
    if (completion.document !== undefined) {
      writeOut(result, this.memory.text(completion.document));
    }
    return (completion.hresult ?? 0) | 0;
  }

  async #close(symbol: Name, handle: bigint): Promise<void> {
    await this.reply(symbol, [handle], { uses: [handle], closes: true });
  }

  async #register(
    system: bigint,
    options: bigint,
    context: bigint,
    callback: Deno.PointerValue,
  ): Promise<number> {
    const symbol = "HcsSetComputeSystemCallback";
    const { after } = this.next(symbol) ?? {};
    const args = [system, options, context];
    const hresult = await this.reply(symbol, args, { uses: [system] });
    if (hresult >= 0) {
      this.#events.set(system, callback, context);
      after?.();
    }
    return hresult;
  }
}
