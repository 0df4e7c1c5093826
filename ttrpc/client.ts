/**
 * The ttrpc client.
 *
 * @module
 */

import { abortable, type Clock, deadline, systemClock } from "../base/clock.ts";
import type { Duplex } from "../base/duplex.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import { type KeyValue, Response } from "./api/envelope.gen.ts";
import { requestFrame } from "./envelope.ts";
import {
  type Frame,
  FrameFlag,
  FrameReader,
  FrameType,
  oversizeError,
} from "./frames.ts";
import type { RequestOf, ResponseOf } from "./handlers.ts";
import { StreamInbox } from "./inbox.ts";
import { type TtrpcLimits, ttrpcLimits } from "./limits.ts";
import type { MessageType, MethodType, ServiceType } from "./message.ts";
import { fromStatus } from "./status.ts";
import { FrameWriter } from "./writer.ts";

/** How a {@linkcode TtrpcClient} is made. */
export interface TtrpcClientOptions {
  /** Log of the client; silent by default. */
  readonly log?: Logger;
  /** Time of the calls' timeouts; the real one by default. */
  readonly clock?: Clock;
  /** Bounds that differ from {@linkcode ttrpcLimits}. */
  readonly limits?: Partial<TtrpcLimits>;
}

/** How one call is made. */
export interface CallOptions {
  /** Gives up waiting; the server is not told, the protocol has no cancel. */
  readonly signal?: AbortSignal;
  /** Milliseconds for the whole call; the server aborts its handler then. */
  readonly timeoutMs?: number;
  /** Metadata; keys are sent in lower case. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>>;
}

/** Names of a service's methods that answer with one response. */
export type UnaryMethod<S extends ServiceType> = {
  [M in keyof S["methods"]]: S["methods"][M] extends
    { readonly serverStream: true } ? never : M;
}[keyof S["methods"]];

/** Names of a service's methods that answer with a stream. */
export type StreamMethod<S extends ServiceType> = Exclude<
  keyof S["methods"],
  UnaryMethod<S>
>;

/** What waits for the frames of one stream. */
interface Waiter {
  receive(type: number, flags: number, data: Uint8Array): void;
  fail(error: unknown): void;
}

/** The largest stream id that a header can carry for a client. */
const lastStreamId = 0xffff_ffff;

function pairs(metadata: CallOptions["metadata"] = {}): KeyValue[] {
  return Object.entries(metadata).flatMap(([key, values]) =>
    [values].flat().map((value) => ({ key: key.toLowerCase(), value }))
  );
}

/**
 * Calls services over one connection. Any number of calls may be under way.
 */
export class TtrpcClient {
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #stream: Duplex;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #limits: TtrpcLimits;
  readonly #writer: FrameWriter;
  readonly #waiters = new Map<number, Waiter>();
  #nextStreamId = 1;
  #closing: Promise<void> | undefined;

  /**
   * A client that reads the stream from now on.
   *
   * @param stream The client's from now on.
   * @param options Log, clock and bounds.
   */
  constructor(stream: Duplex, options: TtrpcClientOptions = {}) {
    this.#stream = stream;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#limits = { ...ttrpcLimits, ...options.limits };
    this.#writer = new FrameWriter(
      stream,
      (error) => this.#end(messageOf(error)),
      this.#limits,
    );
    this.closed = this.#read();
  }

  /** Calls and streams that are under way. */
  get activeCalls(): number {
    return this.#waiters.size;
  }

  /**
   * Calls a method and waits for its response.
   *
   * @throws {ShimError} The class of the reply's status; ResourceExhausted when
   * the request does not fit a frame; Unavailable when the connection is or gets
   * closed. When the timeout passes first, a `TimeoutError`; when the signal
   * aborts first, its reason.
   */
  async call<S extends ServiceType, M extends UnaryMethod<S>>(
    service: S,
    method: M,
    request: Partial<RequestOf<S["methods"][M]>>,
    options: CallOptions = {},
  ): Promise<ResponseOf<S["methods"][M]>> {
    const { signal, timeoutMs } = options;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const { id, name, type } = this.#open(
      service,
      method,
      request,
      0,
      options,
      {
        receive: (type, _flags, data) => {
          if (type === FrameType.Response) resolve(data);
          else {reject(
              new ShimError("Internal", "Unexpected data in a unary reply"),
            );}
        },
        fail: reject,
      },
    );
    try {
      const data = await (timeoutMs === undefined
        ? abortable(promise, signal)
        : deadline(this.#clock, timeoutMs, name, () =>
          promise, signal));
      const reply = decode(Response, data, name);
      const error = fromStatus(reply.status);
      if (error !== undefined) throw error;
      return decode(type.response, reply.payload, name) as ResponseOf<
        S["methods"][M]
      >;
    } finally {
      this.#waiters.delete(id);
    }
  }

  /**
   * Calls a method that answers with a stream. The request leaves with the
   * first `next()`. A consumer that stops early is no longer served, but the
   * server is not told: the protocol has no cancel.
   *
   * @throws As {@linkcode TtrpcClient.call}, behind the messages received
   * before; ResourceExhausted also when too many messages were not taken.
   */
  async *stream<S extends ServiceType, M extends StreamMethod<S>>(
    service: S,
    method: M,
    request: Partial<RequestOf<S["methods"][M]>>,
    options: CallOptions = {},
  ): AsyncGenerator<ResponseOf<S["methods"][M]>, void, void> {
    const { signal, timeoutMs } = options;
    signal?.throwIfAborted();
    const inbox = new StreamInbox(this.#limits.streamMessages);
    const flags = FrameFlag.RemoteClosed;
    const { id, name, type } = this.#open(
      service,
      method,
      request,
      flags,
      options,
      {
        receive: (type, flags, data) => receiveInto(inbox, type, flags, data),
        fail: (error) => inbox.finish(error),
      },
    );
    const over = new AbortController();
    if (timeoutMs !== undefined) {
      this.#clock.sleep(timeoutMs, over.signal).then(
        () => inbox.finish(timeoutError(name, timeoutMs)),
        () => {}, // the stream ended first
      );
    }
    try {
      for (;;) {
        const data = await abortable(inbox.next(), signal);
        if (data === undefined) return;
        yield decode(type.response, data, name) as ResponseOf<S["methods"][M]>;
      }
    } finally {
      over.abort();
      this.#waiters.delete(id);
    }
  }

  /** Ends the connection; calls under way fail. Idempotent. */
  async close(): Promise<void> {
    await this.#end("the client was closed");
    await this.closed;
  }

  /** Registers a waiter, then sends the request. */
  #open<S extends ServiceType>(
    service: S,
    method: keyof S["methods"],
    request: object,
    flags: number,
    options: CallOptions,
    waiter: Waiter,
  ): { id: number; name: string; type: MethodType } {
    const type = service.methods[String(method)];
    const name = `${service.name}/${String(method)}`;
    if (type === undefined) {
      throw new ShimError(
        "NotImplemented",
        `Cannot call ${name}: no such method`,
      );
    }
    const id = this.#nextStreamId;
    if (this.#closing !== undefined || id > lastStreamId) {
      throw unavailable(name, "the connection is closed");
    }
    const { timeoutMs, metadata } = options;
    const frame = requestFrame(id, flags, {
      service: service.name,
      method: String(method),
      payload: type.request.encode(request),
      timeoutNano: timeoutMs === undefined ? 0n : nanoseconds(timeoutMs),
      metadata: pairs(metadata),
    });
    this.#nextStreamId += 2;
    this.#waiters.set(id, waiter);
    this.#writer.push(frame);
    return { id, name, type };
  }

  async #read(): Promise<void> {
    const reader = new FrameReader(this.#stream, this.#limits.data);
    let why = "the server closed the connection";
    try {
      for (;;) {
        const frame = await reader.next();
        if (frame === null || this.#closing !== undefined) break;
        this.#receive(frame);
      }
    } catch (error) {
      why = messageOf(error);
    }
    await this.#end(why);
  }

  #receive({ streamId, type, flags, length, data }: Frame): void {
    const waiter = this.#waiters.get(streamId);
    // A late answer to a call that was given up, or a type of a later protocol.
    if (waiter === undefined) return;
    if (data === undefined) {
      waiter.fail(oversizeError(length, this.#limits.data));
    } else if (type === FrameType.Response || type === FrameType.Data) {
      waiter.receive(type, flags, data);
    }
  }

  #end(why: string): Promise<void> {
    return this.#closing ??= this.#close(why);
  }

  async #close(why: string): Promise<void> {
    const error = new ShimError("Unavailable", `Call failed: ${why}`);
    this.#writer.stop(error);
    for (const waiter of this.#waiters.values()) waiter.fail(error);
    try {
      await this.#stream.close();
    } catch (error) {
      this.#log.warn("Connection did not close cleanly", {
        error: messageOf(error),
      });
    }
  }
}

function receiveInto(
  inbox: StreamInbox,
  type: number,
  flags: number,
  data: Uint8Array,
): void {
  if (type === FrameType.Response) {
    try {
      inbox.finish(fromStatus(Response.decode(data).status));
    } catch (error) {
      inbox.finish(error);
    }
    return;
  }
  if ((flags & FrameFlag.NoData) === 0) inbox.push(data);
  if ((flags & FrameFlag.RemoteClosed) !== 0) inbox.finish();
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.max(1, Math.round(ms * 1e6)));
}

function timeoutError(name: string, ms: number): DOMException {
  return new DOMException(`${name} took longer than ${ms} ms`, "TimeoutError");
}

function unavailable(name: string, why: string): ShimError {
  return new ShimError("Unavailable", `Cannot call ${name}: ${why}`);
}

function decode<T>(type: MessageType<T>, data: Uint8Array, name: string): T {
  try {
    return type.decode(data);
  } catch (error) {
    throw new ShimError(
      "Internal",
      `Cannot read the reply of ${name}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
