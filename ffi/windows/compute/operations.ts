/**
 * Requests to `computecore.dll`, each tracked by an operation of its own.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import type { ComputeCoreSymbols } from "../library/computecore.ts";
import { type Reply, within } from "../library/native_calls.ts";
import { isFailure } from "../library/error_document.ts";
import { type Invoke, Operation, type OperationContext } from "./operation.ts";

/** One request. */
export interface Request<K extends keyof ComputeCoreSymbols> {
  /** The function that makes it. */
  readonly symbol: K;
  /** Operation and id of the system, for messages. */
  readonly subject: string;
  /** Milliseconds from the first call to the result. */
  readonly ms: number;
  /** Ends the wait early. */
  readonly signal?: AbortSignal | undefined;
  /** The socket of a live migration, which HCS duplicates. */
  readonly socket?: bigint | undefined;
  /** Calls the function. */
  readonly invoke: Invoke<K>;
}

/** Makes requests. */
export class Operations {
  readonly #context: OperationContext;
  readonly #clock: Clock;

  /** @param clock Source of time. */
  constructor(context: OperationContext, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
  }

  /**
   * Makes a request and waits for its result. One that is given up is cancelled;
   * a native call that is under way then is left behind.
   *
   * @returns What the service answered; it may be a failure.
   * @throws {ShimError} DeadlineExceeded; NotImplemented without the function;
   *   ResourceExhausted without an operation.
   * @throws The signal's reason when it aborts first.
   */
  run<K extends keyof ComputeCoreSymbols>(request: Request<K>): Promise<Reply> {
    return this.#perform(request, true);
  }

  /**
   * Makes a request whose completion nobody waits for: it goes on when its
   * operation is closed.
   *
   * @returns What the function itself answered.
   * @throws As {@linkcode Operations.run} does.
   */
  send<K extends keyof ComputeCoreSymbols>(
    request: Request<K>,
  ): Promise<Reply> {
    return this.#perform(request, false);
  }

  async #perform<K extends keyof ComputeCoreSymbols>(
    request: Request<K>,
    wait: boolean,
  ): Promise<Reply> {
    const { symbol, subject, socket, invoke } = request;
    const operation = new Operation(this.#context, subject);
    const perform = async (limit: AbortSignal): Promise<Reply> => {
      await operation.create(limit);
      if (socket !== undefined) {
        const attached = await operation.attach(socket, limit);
        if (isFailure(attached.hresult)) return attached;
      }
      const reply = await operation.begin(symbol, invoke, limit);
      return wait && !isFailure(reply.hresult)
        ? await operation.result(limit)
        : reply;
    };
    let reply: Reply;
    try {
      reply = await within(this.#clock, subject, symbol, request, perform);
    } catch (error) {
      // Not waited for: the caller's time may be over, and a call may have it still.
      void operation.release(wait);
      throw error;
    }
    await operation.release(wait);
    return reply;
  }
}
