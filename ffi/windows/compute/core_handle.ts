/**
 * An open handle of `computecore.dll` to a compute system: its events, the
 * requests under way on it, and its orderly close.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import type { ComputeCoreSymbols } from "../library/computecore.ts";
import { type Reply, within } from "../library/native_calls.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { enableLiveMigrationEvents } from "./core_callbacks.ts";
import { CoreEvents } from "./core_events.ts";
import { isFailure } from "../library/error_document.ts";
import { HandleUse } from "./handle_use.ts";
import type { OperationContext } from "./operation.ts";
import type { Operations } from "./operations.ts";
import { closedError } from "./system_events.ts";

/** What all handles of one library share. */
export interface CoreContext extends OperationContext {
  /** Makes the requests. */
  readonly operations: Operations;
  /** Source of time. */
  readonly clock: Clock;
}

/** One request on a handle. */
export interface CoreRequest<K extends keyof ComputeCoreSymbols> {
  /** The function that makes it. */
  readonly symbol: K;
  /** For example `hcs::System::Modify`. */
  readonly operation: string;
  /** Milliseconds from the first call to the result. Default: those of a call. */
  readonly ms?: number;
  /** Ends the wait early. */
  readonly signal?: AbortSignal | undefined;
  /** The socket of a live migration. */
  readonly socket?: bigint | undefined;
  /** Calls the function; returns its HRESULT. */
  readonly invoke: (
    call: NonNullable<ComputeCoreSymbols[K]>,
    system: bigint,
    operation: bigint,
  ) => Promise<number>;
}

const closing = "hcs::System::Close";

/** One `HCS_SYSTEM` handle of `computecore.dll`. */
export class CoreHandle {
  /** The system's id. */
  readonly id: string;
  /** What the system reports. */
  readonly events: CoreEvents;
  readonly #context: CoreContext;
  readonly #handle: bigint;
  readonly #use = new HandleUse();
  #routed = 0n;
  #release: Promise<void> | undefined;

  /**
   * @param handle The handle; this object closes it.
   * @param id The system's id.
   */
  constructor(context: CoreContext, handle: bigint, id: string) {
    this.#context = context;
    this.#handle = handle;
    this.id = id;
    this.events = new CoreEvents(id, context.log);
  }

  /** True once the handle must not be used any more. */
  get closed(): boolean {
    return this.#use.refusing;
  }

  /** Begins the delivery of events. @throws {HResultError} what the DLL answered. */
  async register(signal?: AbortSignal): Promise<void> {
    const { calls, callbacks, callLimit } = this.#context;
    const routed = callbacks.events.add((event) => this.events.deliver(event));
    this.#routed = routed;
    const subject = this.subject("hcs::System::registerCallback");
    await calls.demand(
      "HcsSetComputeSystemCallback",
      subject,
      { ms: callLimit, signal },
      (call) =>
        this.#use.run(subject, () =>
          call(
            this.#handle,
            enableLiveMigrationEvents,
            routed,
            callbacks.event,
          )),
    );
  }

  /**
   * Makes a request and waits for its result.
   *
   * @returns The result document.
   * @throws {HResultError} what the service answered.
   * @throws {ShimError} FailedPrecondition on a closed handle; Unavailable when
   *   the service is lost; see {@linkcode Operations.run}.
   */
  async demand<K extends keyof ComputeCoreSymbols>(
    request: CoreRequest<K>,
  ): Promise<string | null> {
    const { calls } = this.#context;
    const subject = this.subject(request.operation);
    const { lost } = this.events;
    const signal = request.signal === undefined
      ? lost
      : AbortSignal.any([request.signal, lost]);
    try {
      const reply = await this.#perform("run", { ...request, signal });
      if (isFailure(reply.hresult)) throw calls.error(subject, reply);
      return reply.document;
    } catch (error) {
      throw this.events.explain(subject, error);
    }
  }

  /** Makes a request that nobody waits for; see {@linkcode Operations.send}. */
  send<K extends keyof ComputeCoreSymbols>(
    request: CoreRequest<K>,
  ): Promise<Reply> {
    return this.#perform("send", request);
  }

  /** Asks the service to end the system at once; the reply may be a failure that means success. */
  terminate(): Promise<Reply> {
    const options = encodeUtf16("");
    this.events.system.expectTermination();
    return this.send({
      symbol: "HcsTerminateComputeSystem",
      operation: "hcs::System::Terminate",
      invoke: (call, system, operation) => call(system, operation, options),
    });
  }

  /**
   * Ends the waits, waits for calls under way and closes the handle. After a
   * success a further close does nothing.
   *
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
    const subject = this.subject(closing);
    return within(clock, subject, "its end", bounds, () => release);
  }

  /** Operation and id, for messages. */
  subject(operation: string): string {
    return `${operation} ${this.id}`;
  }

  #perform<K extends keyof ComputeCoreSymbols>(
    how: "run" | "send",
    request: CoreRequest<K>,
  ): Promise<Reply> {
    const { operations, callLimit } = this.#context;
    const { symbol, ms = callLimit, signal, socket, invoke } = request;
    const subject = this.subject(request.operation);
    if (this.closed) return Promise.reject(closedError(subject));
    return operations[how]({
      symbol,
      subject,
      ms,
      signal,
      socket,
      invoke: (call, operation) =>
        this.#use.run(subject, () => invoke(call, this.#handle, operation)),
    });
  }

  async #releaseAll(): Promise<void> {
    const { calls, callbacks } = this.#context;
    this.#use.refuse();
    this.events.close();
    callbacks.events.remove(this.#routed);
    await this.#use.drained();
    await calls.run("HcsCloseComputeSystem", async (call) => {
      await call(this.#handle);
      return 0;
    });
  }
}
