/**
 * One `HCS_OPERATION`: what tracks a request to `computecore.dll`.
 *
 * @module
 */

import { abortable } from "../../../base/clock.ts";
import { messageOf, ShimError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";
import type { ComputeCoreSymbols } from "../library/computecore.ts";
import type { NativeCalls, Outputs, Reply } from "../library/native_calls.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import type { CoreCallbacks } from "./core_callbacks.ts";
import { isFailure } from "../library/error_document.ts";
import { HandleUse } from "./handle_use.ts";

/** What all operations of one library share. */
export interface OperationContext {
  /** The library's calls. */
  readonly calls: NativeCalls<ComputeCoreSymbols>;
  /** The library's callbacks. */
  readonly callbacks: CoreCallbacks;
  /** Takes what is worth knowing but fails nothing. */
  readonly log: Logger;
  /** Milliseconds for a call that has no bound of its own. */
  readonly callLimit: number;
}

/** Calls a symbol with an operation; returns its HRESULT. */
export type Invoke<K extends keyof ComputeCoreSymbols> = (
  call: NonNullable<ComputeCoreSymbols[K]>,
  operation: bigint,
  out: Outputs,
) => Promise<number>;

/** `HCS_RESOURCE_TYPE`: a socket. */
const socketResource = 4;

/** By this name HCS looks for the socket of a live migration. */
const migrationSocket = "hcs:/VirtualMachine/LiveMigrationSocket";

/**
 * An operation from its creation to its close. No thread is blocked while the
 * service works: a callback reports the completion.
 */
export class Operation {
  readonly #context: OperationContext;
  readonly #subject: string;
  readonly #use = new HandleUse();
  readonly #completed = Promise.withResolvers<void>();
  readonly #completion: bigint;
  #handle = 0n;
  /** The service works on the request. */
  #accepted = false;

  /** @param subject Operation and id of the system, for messages. */
  constructor(context: OperationContext, subject: string) {
    this.#context = context;
    this.#subject = subject;
    this.#completion = context.callbacks.completions.add(
      this.#completed.resolve,
    );
  }

  /**
   * Makes the native operation.
   *
   * @param limit A call that has no slot yet when this aborts is not made.
   * @throws {ShimError} ResourceExhausted when there is none.
   */
  async create(limit: AbortSignal): Promise<void> {
    const { completion } = this.#context.callbacks;
    await this.#call("HcsCreateOperation", async (call) => {
      this.#handle = await call(this.#completion, completion);
      return 0;
    }, limit);
    if (this.#handle !== 0n) return;
    throw new ShimError(
      "ResourceExhausted",
      `${this.#subject}: HcsCreateOperation made no operation`,
    );
  }

  /** Gives the operation the socket of a live migration. */
  attach(socket: bigint, limit: AbortSignal): Promise<Reply> {
    const uri = encodeUtf16(migrationSocket);
    return this.#call(
      "HcsAddResourceToOperation",
      (call, operation) => call(operation, socketResource, uri, socket),
      limit,
    );
  }

  /**
   * Makes the request.
   *
   * @returns What the function itself answered, with the error document of a failure.
   */
  async begin<K extends keyof ComputeCoreSymbols>(
    symbol: K,
    invoke: Invoke<K>,
    limit: AbortSignal,
  ): Promise<Reply> {
    const reply = await this.#call(symbol, async (call, operation, out) => {
      const hresult = await invoke(call, operation, out);
      this.#accepted = !isFailure(hresult);
      return hresult;
    }, limit);
    if (this.#accepted) return reply;
    // Why there is no document must not hide why the request failed.
    const { document } = await this.#read(limit).catch(() => reply);
    return { ...reply, document };
  }

  /** Waits for the completion and reads the result. */
  async result(limit: AbortSignal): Promise<Reply> {
    await abortable(this.#completed.promise, limit);
    this.#accepted = false;
    return await this.#read(limit);
  }

  /**
   * Closes the native operation, once no call has it. Never rejects: what fails
   * is logged, because the caller's own outcome is known.
   *
   * @param cancel Whether a request that is under way is to end. How it ends
   *   stays unknown then, and its result is dropped.
   */
  async release(cancel: boolean): Promise<void> {
    this.#context.callbacks.completions.remove(this.#completion);
    this.#use.refuse();
    await this.#use.drained();
    const handle = this.#handle;
    if (handle === 0n) return;
    if (cancel && this.#accepted) {
      await this.#attempt("HcsCancelOperation", (call) => call(handle));
    }
    await this.#attempt("HcsCloseOperation", async (call) => {
      await call(handle);
      return 0;
    });
  }

  #read(limit: AbortSignal): Promise<Reply> {
    return this.#call(
      "HcsGetOperationResult",
      (call, operation, out) => call(operation, out.result),
      limit,
    );
  }

  #call<K extends keyof ComputeCoreSymbols>(
    symbol: K,
    invoke: Invoke<K>,
    limit: AbortSignal,
  ): Promise<Reply> {
    return this.#context.calls.run(
      symbol,
      (call, out) =>
        this.#use.run(this.#subject, () => invoke(call, this.#handle, out)),
      limit,
    );
  }

  async #attempt<K extends "HcsCancelOperation" | "HcsCloseOperation">(
    symbol: K,
    invoke: (call: NonNullable<ComputeCoreSymbols[K]>) => Promise<number>,
  ): Promise<void> {
    const { calls, log, callLimit } = this.#context;
    try {
      await calls.call(symbol, this.#subject, { ms: callLimit }, invoke);
    } catch (error) {
      log.warn("Cannot let an operation go", {
        subject: this.#subject,
        error: messageOf(error),
      });
    }
  }
}
