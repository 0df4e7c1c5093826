/**
 * One call under way on a server's connection.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Request } from "./api/envelope.gen.ts";
import type { CallContext } from "./handlers.ts";

/** The longest wait that timers of the platform can express, in milliseconds. */
const longestSleep = 2 ** 31 - 1;

/**
 * State of a call. What only some handlers look at (signal, metadata) is made
 * when it is first asked for: most calls are short and look at neither.
 */
export class Call implements CallContext {
  readonly service: string;
  readonly method: string;
  /** Number of the call's stream. */
  readonly streamId: number;
  /** Bytes of the request, which the call keeps alive. */
  readonly requestBytes: number;
  /**
   * The client expects nothing more on this stream: it was answered because of
   * a protocol error, or the connection is gone. The handler may still run.
   */
  over = false;
  /** The client said that it sends no more data on this stream. */
  remoteClosed = false;

  readonly #pairs: Request["metadata"];
  readonly #log: Logger;
  #metadata: Map<string, string[]> | undefined;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  #timer: AbortController | undefined;
  #afterReply: (() => void | Promise<void>)[] = [];
  #replied = false;

  /**
   * @param streamId Number of the call's stream.
   * @param request The envelope.
   * @param requestBytes Bytes of the envelope.
   * @param log Told of failures after the reply.
   */
  constructor(
    streamId: number,
    request: Request,
    requestBytes: number,
    log: Logger,
  ) {
    this.streamId = streamId;
    this.service = request.service;
    this.method = request.method;
    this.requestBytes = requestBytes;
    this.#pairs = request.metadata;
    this.#log = log;
  }

  /** `service/method`, for messages. */
  get name(): string {
    return `${this.service}/${this.method}`;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  get metadata(): ReadonlyMap<string, readonly string[]> {
    if (this.#metadata === undefined) {
      this.#metadata = new Map();
      for (const { key, value } of this.#pairs) {
        const name = key.toLowerCase();
        const values = this.#metadata.get(name);
        if (values === undefined) this.#metadata.set(name, [value]);
        else values.push(value);
      }
    }
    return this.#metadata;
  }

  get afterReply(): CallContext["afterReply"] {
    return (action) => {
      if (this.#replied) this.#run(action);
      else this.#afterReply.push(action);
    };
  }

  /** Aborts the handler's signal; the first reason stays. */
  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }

  /**
   * Aborts the signal when the client's time is over.
   *
   * @param nanoseconds Time that is left; at once when negative, never when 0.
   */
  expireAfter(nanoseconds: bigint, clock: Clock): void {
    if (nanoseconds === 0n) return;
    const ms = Math.ceil(Number(nanoseconds) / 1e6);
    const expire = (): void =>
      this.abort(
        new DOMException(
          `${this.name} took longer than ${ms} ms`,
          "TimeoutError",
        ),
      );
    if (nanoseconds < 0n) return expire();
    const timer = this.#timer = new AbortController();
    const wait = async (): Promise<void> => {
      for (let left = ms; left > 0; left -= longestSleep) {
        await clock.sleep(Math.min(left, longestSleep), timer.signal);
      }
    };
    wait().then(expire, () => {}); // ends early only with the call
  }

  /** The handler has settled: its time no longer runs. */
  settled(): void {
    this.#timer?.abort();
  }

  /** The reply has been written or dropped: what was to follow it runs now. */
  replied(): void {
    this.#replied = true;
    const actions = this.#afterReply;
    this.#afterReply = [];
    for (const action of actions) this.#run(action);
  }

  async #run(action: () => void | Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#log.error(`Work after the reply of ${this.name} failed`, {
        error: messageOf(error),
      });
    }
  }
}
