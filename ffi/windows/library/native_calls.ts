/**
 * Calls of a DLL that can block: nonblocking, few at a time, bounded in time,
 * with their strings freed.
 *
 * @module
 */

import { type Clock, deadline } from "../../../base/clock.ts";
import { ShimError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";
import { Semaphore } from "../../../base/queue.ts";
import { computeError, isFailure } from "./error_document.ts";
import { type ForeignMemory, takeUtf16 } from "./utf16.ts";

/** Out-parameters of one call, all zero before it. */
export interface Outputs {
  /** A handle. */
  readonly handle: BigUint64Array<ArrayBuffer>;
  /** A string that the call is about, for example properties. */
  readonly value: BigUint64Array<ArrayBuffer>;
  /** The result or error document. */
  readonly result: BigUint64Array<ArrayBuffer>;
}

/** What one call gave; its strings are copied and freed. */
export interface Reply {
  /** HRESULT, unsigned. */
  readonly hresult: number;
  /** The handle; 0 when there is none. */
  readonly handle: bigint;
  /** The string that the call is about. */
  readonly value: string | null;
  /** The result or error document. */
  readonly document: string | null;
}

/** A DLL whose symbols are called. */
export interface NativeLibrary<S> {
  /** Name for error messages. */
  readonly dll: string;
  /** Its symbols; null where it lacks one. */
  readonly symbols: S;
  /** Reads and frees its strings. */
  readonly memory: ForeignMemory;
}

/** Bounds of one call. */
export interface CallBounds {
  /** Milliseconds that the caller waits, for a slot and for the call. */
  readonly ms: number;
  /** Ends the wait early. */
  readonly signal?: AbortSignal | undefined;
  /** Gets the reply of a call that returned after nobody waited for it any more. */
  readonly late?: (reply: Reply) => void;
}

/**
 * The slots for calls that block a thread. Deno has 4 threads per processor for
 * them and for all file operations together, so they must not take all.
 *
 * @param cpus Processors that this process may use.
 */
export function blockingSlots(cpus: number): Semaphore {
  return new Semaphore(Math.max(1, Math.min(4, Math.floor(cpus))));
}

/**
 * Bounds a wait.
 *
 * @param subject Operation and id, for the message.
 * @param what What is waited for, for the message.
 * @throws {ShimError} DeadlineExceeded after `ms`.
 * @throws The signal's reason when it aborts first.
 */
export async function within<T>(
  clock: Clock,
  subject: string,
  what: string,
  bounds: { readonly ms: number; readonly signal?: AbortSignal | undefined },
  task: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const { ms, signal } = bounds;
  try {
    return await deadline(clock, ms, subject, task, signal);
  } catch (cause) {
    const expired = cause instanceof DOMException &&
      cause.name === "TimeoutError" && cause !== signal?.reason;
    if (!expired) throw cause;
    throw new ShimError(
      "DeadlineExceeded",
      `${subject}: timeout waiting for ${what} (${ms / 1000} s)`,
      { cause },
    );
  }
}

/** The symbols of one DLL, called in slots. */
export class NativeCalls<S> {
  readonly #library: NativeLibrary<S>;
  readonly #slots: Semaphore;
  readonly #clock: Clock;
  readonly #log: Logger;

  /** @param options The DLL, the slots that it shares with others, time and log. */
  constructor(options: {
    readonly library: NativeLibrary<S>;
    readonly slots: Semaphore;
    readonly clock: Clock;
    readonly log: Logger;
  }) {
    this.#library = options.library;
    this.#slots = options.slots;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * Calls a symbol when a slot is free. The slot is taken until the call returns.
   *
   * @param symbol Its name.
   * @param invoke Calls it with its arguments; returns its HRESULT.
   * @param limit A call that has no slot yet when this aborts is not made.
   * @throws {ShimError} NotImplemented when the DLL lacks the symbol.
   */
  run<K extends keyof S & string>(
    symbol: K,
    invoke: (call: NonNullable<S[K]>, out: Outputs) => Promise<number>,
    limit?: AbortSignal,
  ): Promise<Reply> {
    return this.#slots.run(async () => {
      limit?.throwIfAborted();
      const out: Outputs = {
        handle: new BigUint64Array(1),
        value: new BigUint64Array(1),
        result: new BigUint64Array(1),
      };
      let hresult: number;
      let value: string | null = null;
      let document: string | null = null;
      try {
        hresult = await invoke(this.#find(symbol), out);
      } catch (error) {
        // Deno has a function for a missing nonblocking symbol too; calling it
        // says that there is no such symbol.
        const isMissing = error instanceof TypeError &&
          error.message.includes("Invalid FFI symbol name");
        throw isMissing ? this.#missing(symbol) : error;
      } finally {
        value = takeUtf16(out.value, this.#library.memory);
        document = takeUtf16(out.result, this.#library.memory);
      }
      const handle = out.handle[0] ?? 0n;
      return { hresult: hresult >>> 0, handle, value, document };
    });
  }

  /**
   * Calls a symbol and waits for it, but not longer than the bounds. A call that
   * is under way cannot be ended: it is left behind, and its reply goes to
   * `bounds.late`.
   *
   * @param subject Operation and id, for the message of the error.
   * @throws {ShimError} DeadlineExceeded; NotImplemented without the symbol.
   * @throws The signal's reason when it aborts first.
   */
  async call<K extends keyof S & string>(
    symbol: K,
    subject: string,
    bounds: CallBounds,
    invoke: (call: NonNullable<S[K]>, out: Outputs) => Promise<number>,
  ): Promise<Reply> {
    let running: Promise<Reply> | undefined;
    const begin = (limit: AbortSignal): Promise<Reply> =>
      running = this.run(symbol, invoke, limit);
    try {
      return await within(this.#clock, subject, symbol, bounds, begin);
    } catch (error) {
      // When the call itself failed, there is no reply and the error says it.
      running?.then((reply) => bounds.late?.(reply), () => {});
      throw error;
    }
  }

  /**
   * Like {@linkcode NativeCalls.call}, for calls that must be done at once.
   *
   * @throws {HResultError} what the DLL answered.
   */
  async demand<K extends keyof S & string>(
    symbol: K,
    subject: string,
    bounds: CallBounds,
    invoke: (call: NonNullable<S[K]>, out: Outputs) => Promise<number>,
  ): Promise<Reply> {
    const reply = await this.call(symbol, subject, bounds, invoke);
    if (isFailure(reply.hresult)) throw this.error(subject, reply);
    return reply;
  }

  /** The error of a reply. */
  error(subject: string, reply: Reply): ShimError {
    return computeError(subject, reply.hresult, reply.document, this.#log);
  }

  #find<K extends keyof S & string>(symbol: K): NonNullable<S[K]> {
    const found = this.#library.symbols[symbol];
    if (found === null || found === undefined) throw this.#missing(symbol);
    return found;
  }

  #missing(symbol: string): ShimError {
    return new ShimError(
      "NotImplemented",
      `${this.#library.dll} of this version of Windows has no function ${symbol}`,
    );
  }
}
