/**
 * What all pretended DLLs share whose answers a test writes down, and which keep
 * account of what their user does.
 *
 * @module
 */

import { HResult } from "../../base/hresult.ts";
import { MockHeap, writeOut } from "./heap.ts";

/** What one call does; members that are missing keep the usual answer. */
export interface ScriptedReply {
  /** HRESULT, signed or unsigned; for some DLLs a Win32 code. */
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
export interface ScriptedCall<N extends string> {
  /** Name of the symbol. */
  readonly symbol: N;
  /** Its in-parameters: strings, numbers and handles. */
  readonly args: readonly (string | bigint)[];
}

/** What a symbol takes and gives beside its in-parameters. */
export interface CallParameters {
  /** Handles that must be open. */
  readonly uses?: readonly bigint[];
  /** A success closes the first of them. */
  readonly closes?: boolean;
  /** Where its handle goes. */
  readonly handle?: AllowSharedBufferSource | null;
  /** Where its string goes. */
  readonly value?: AllowSharedBufferSource | null;
  /** Where its document goes. */
  readonly result?: AllowSharedBufferSource | null;
  /** What it answers without a script. */
  readonly usual?: ScriptedReply;
}

/** A scripted DLL. Calls without a script succeed at once. */
export abstract class ScriptedLibrary<
  S extends object,
  R extends ScriptedReply = ScriptedReply,
> {
  /** The strings that it handed out. */
  readonly memory: MockHeap = new MockHeap();
  /** Every call, in order. */
  readonly calls: ScriptedCall<keyof S & string>[] = [];
  /** What the real DLL would punish: use of closed handles, double closes. */
  readonly misuse: string[] = [];
  /** Handles that are open. */
  readonly open: Set<bigint> = new Set();
  /** Calls under way. */
  running = 0;
  /** Most calls that ever were under way at once. */
  peak = 0;
  #symbols: S | undefined;
  readonly #scripts = new Map<string, R[]>();
  #lastHandle = 0x8000_0000_0000n; // beyond what 32 bits hold

  /** The raw symbols. */
  get symbols(): S {
    return this.#symbols ??= this.makeSymbols();
  }

  /** Scripts the next call of a symbol that has no script yet. */
  on(symbol: keyof S & string, reply: R): this {
    const replies = this.#scripts.get(symbol) ?? [];
    this.#scripts.set(symbol, [...replies, reply]);
    return this;
  }

  /** Pretends a version of the DLL that lacks a symbol. */
  lack(symbol: keyof S & string): this {
    this.#symbols = { ...this.symbols, [symbol]: null };
    return this;
  }

  /** Names of the symbols called, in order. */
  get called(): readonly string[] {
    return this.calls.map((call) => call.symbol);
  }

  /** What was taken and not given back, and what the real DLL would punish. */
  leftovers(): readonly string[] {
    const counts: [number, string][] = [
      [this.memory.live, "strings"],
      [this.open.size, "handles"],
      [this.running, "calls under way"],
    ];
    const left = counts.filter(([count]) => count !== 0)
      .map(([count, what]) => `${count} ${what}`);
    return [...left, ...this.misuse];
  }

  /** Makes the table. */
  protected abstract makeSymbols(): S;

  /** Whether a code of this DLL is a success. */
  protected succeeds(code: number): boolean {
    return code >= 0 || code === (HResult.Pending | 0);
  }

  /** The script of the next call of a symbol. */
  protected next(symbol: keyof S & string): R | undefined {
    return this.#scripts.get(symbol)?.[0];
  }

  /** Makes one call. @returns Its code, signed. */
  protected async reply(
    symbol: keyof S & string,
    args: readonly (string | bigint)[],
    parameters: CallParameters = {},
  ): Promise<number> {
    this.calls.push({ symbol, args });
    this.peak = Math.max(this.peak, ++this.running);
    try {
      const script = this.next(symbol);
      this.#scripts.get(symbol)?.shift();
      const reply = { ...parameters.usual, ...script };
      await reply.gate;
      reply.before?.();
      if (reply.throws !== undefined) throw reply.throws;
      const code = (reply.hresult ?? 0) | 0;
      if (!this.#account(symbol, parameters, code)) {
        return HResult.InvalidHandle | 0;
      }
      this.#give(parameters, reply, script, this.succeeds(code));
      return code;
    } finally {
      this.running--;
    }
  }

  #give(
    { handle, value, result }: CallParameters,
    reply: ScriptedReply,
    script: ScriptedReply | undefined,
    done: boolean,
  ): void {
    if (handle !== undefined && (done || reply.handle !== undefined)) {
      const made = reply.handle ?? ++this.#lastHandle;
      if (made !== 0n) this.open.add(made);
      writeOut(handle, made);
    }
    const answers = script?.value !== undefined || done;
    if (value !== undefined && typeof reply.value === "string" && answers) {
      writeOut(value, this.memory.text(reply.value));
    }
    if (result !== undefined && reply.result !== undefined) {
      writeOut(result, this.memory.text(reply.result));
    }
  }

  /** @returns False when the call uses a handle that is not open. */
  #account(
    symbol: string,
    { uses = [], closes = false }: CallParameters,
    code: number,
  ): boolean {
    if (uses.some((handle) => !this.open.has(handle))) {
      this.misuse.push(`${symbol} with a handle that is not open`);
      return false;
    }
    const [first] = uses;
    if (closes && first !== undefined && this.succeeds(code)) {
      this.open.delete(first);
    }
    return true;
  }
}
