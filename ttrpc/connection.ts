/**
 * One connection of a server: reads frames, runs the calls they open, answers.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Duplex } from "../base/duplex.ts";
import { classify, messageOf, ShimError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { Request } from "./api/envelope.gen.ts";
import { Call } from "./call.ts";
import { replyFrame, statusFrame } from "./envelope.ts";
import {
  encodeFrame,
  type Frame,
  FrameFlag,
  FrameReader,
  FrameType,
  oversizeError,
} from "./frames.ts";
import type { RegisteredMethod, ServiceTable } from "./handlers.ts";
import type { TtrpcLimits } from "./limits.ts";
import { toStatus } from "./status.ts";
import { FrameWriter, type Sent } from "./writer.ts";

/** What all connections of a server share. */
export interface ConnectionContext {
  /** The services that can be called. */
  readonly services: ServiceTable;
  /** Log of the connection. */
  readonly log: Logger;
  /** Time of the calls' timeouts. */
  readonly clock: Clock;
  /** Bounds. */
  readonly limits: TtrpcLimits;
}

function invalid(message: string): ShimError {
  return new ShimError("InvalidArgument", message);
}

/** Serves the calls of one client until either side ends the connection. */
export class ServerConnection {
  readonly #stream: Duplex;
  readonly #context: ConnectionContext;
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter;
  /** Calls whose handler has not settled, by stream id. */
  readonly #calls = new Map<number, Call>();
  readonly #settled = Promise.withResolvers<void>();
  #requestBytes = 0;
  #lastStreamId = 0;
  #draining = false;
  #closing: Promise<void> | undefined;
  #closed = false;

  /**
   * @param stream The connection's from now on.
   * @param context What the server's connections share.
   */
  constructor(stream: Duplex, context: ConnectionContext) {
    this.#stream = stream;
    this.#context = context;
    this.#reader = new FrameReader(stream, context.limits.data);
    this.#writer = new FrameWriter(stream, (error) => {
      const why = messageOf(error);
      // A client may leave while a reply is on its way; a flood is news.
      const flooded = classify(error) === "ResourceExhausted";
      context.log[flooded ? "warn" : "debug"]("Connection dropped", {
        error: why,
      });
      this.close(why);
    }, context.limits);
  }

  /** How many handlers have not settled. */
  get activeCalls(): number {
    return this.#calls.size;
  }

  /** Resolves when the connection is closed and no handler runs any more. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Serves the connection; resolves when it is closed, never rejects. */
  async run(): Promise<void> {
    let why = "the client closed the connection";
    try {
      for (;;) {
        const frame = await this.#reader.next();
        if (frame === null || this.#closing !== undefined) break;
        this.#receive(frame);
      }
    } catch (error) {
      why = messageOf(error);
      this.#context.log.debug("Connection failed", { error: why });
    }
    await this.close(why);
  }

  /**
   * Ends the connection as soon as no call is under way and all replies have
   * been written. Calls that come later are refused.
   */
  drain(): void {
    this.#draining = true;
    this.#closeIfDrained();
  }

  /**
   * Ends the connection: aborts the handlers' signals, drops their replies.
   *
   * @param why Why calls end here, for their handlers.
   */
  close(why: string): Promise<void> {
    return this.#closing ??= this.#close(new ShimError("Canceled", why));
  }

  async #close(reason: ShimError): Promise<void> {
    for (const call of this.#calls.values()) {
      call.over = true;
      call.abort(reason);
    }
    this.#writer.stop(reason);
    try {
      await this.#stream.close();
    } catch (error) {
      this.#context.log.warn("Connection did not close cleanly", {
        error: messageOf(error),
      });
    }
    this.#closed = true;
    if (this.#calls.size === 0) this.#settled.resolve();
  }

  #closeIfDrained(): void {
    if (this.#draining && this.#calls.size === 0 && this.#writer.unsent === 0) {
      this.close("the server shuts down");
    }
  }

  #send(frame: Uint8Array, sent?: Sent): void {
    this.#writer.push(frame, (error) => {
      sent?.(error);
      this.#closeIfDrained();
    });
  }

  /** Answers a frame that is not acceptable; the connection stays. */
  #refuse(streamId: number, error: unknown): void {
    this.#send(statusFrame(streamId, toStatus(error)));
  }

  /** Answers a call that the client broke; what its handler returns is dropped. */
  #break(call: Call, error: ShimError): void {
    call.over = true;
    this.#refuse(call.streamId, error);
    call.abort(new ShimError("Canceled", error.message, { cause: error }));
  }

  #receive({ streamId, type, flags, length, data }: Frame): void {
    try {
      if (data === undefined) {
        const error = oversizeError(length, this.#context.limits.data);
        const call = type === FrameType.Data
          ? this.#activeCall(streamId)
          : undefined;
        if (call === undefined) throw error;
        this.#break(call, error);
      } else if (streamId % 2 !== 1) {
        throw invalid("StreamID must be odd for client initiated streams");
      } else if (type === FrameType.Data) {
        this.#receiveData(streamId, flags, data);
      } else if (type === FrameType.Request) {
        this.#receiveRequest(streamId, data);
      } // other types belong to later versions of the protocol
    } catch (error) {
      this.#refuse(streamId, error);
    }
  }

  #activeCall(streamId: number): Call | undefined {
    const call = this.#calls.get(streamId);
    return call === undefined || call.over ? undefined : call;
  }

  /** No method of ours takes more than one message: data can only end a half. */
  #receiveData(streamId: number, flags: number, data: Uint8Array): void {
    const call = this.#activeCall(streamId);
    if (call === undefined) throw invalid("StreamID is no longer active");
    const closes = (flags & FrameFlag.RemoteClosed) !== 0;
    if (closes && data.length > 0) {
      return this.#break(
        call,
        invalid("data close message cannot include data"),
      );
    }
    if ((flags & FrameFlag.NoData) === 0) {
      const why = call.remoteClosed
        ? "ttrpc: stream closed"
        : `${call.name} takes a single message`;
      return this.#break(call, invalid(`data handling error: ${why}`));
    }
    if (closes) call.remoteClosed = true;
  }

  #receiveRequest(streamId: number, data: Uint8Array): void {
    if (streamId <= this.#lastStreamId) {
      throw invalid("StreamID cannot be re-used and must increment");
    }
    this.#lastStreamId = streamId;
    let request: Request;
    try {
      request = Request.decode(data);
    } catch (error) {
      throw invalid(`unmarshal request error: ${messageOf(error)}`);
    }
    const { service, method, payload, timeoutNano } = request;
    if (this.#draining) {
      throw new ShimError(
        "Unavailable",
        `Cannot call ${service}/${method}: the server shuts down`,
      );
    }
    const target = this.#context.services.find(service, method);
    this.#requireRoom(target, data.length);
    const { log, clock } = this.#context;
    const call = new Call(streamId, request, data.length, log);
    // Registered before the handler runs: a handler that answers at once leaves
    // nothing behind.
    this.#calls.set(streamId, call);
    this.#requestBytes += data.length;
    call.expireAfter(timeoutNano, clock);
    this.#run(call, target, payload);
  }

  #requireRoom({ isWait }: RegisteredMethod, bytes: number): void {
    const { calls, callsBesideWaits, requestBytes } = this.#context.limits;
    const most = isWait ? calls - callsBesideWaits : calls;
    if (this.#calls.size >= most || this.#requestBytes + bytes > requestBytes) {
      throw new ShimError(
        "ResourceExhausted",
        `Too many calls on this connection: ${this.#calls.size} (${this.#requestBytes} bytes) are under way`,
      );
    }
  }

  async #run(
    call: Call,
    target: RegisteredMethod,
    payload: Uint8Array,
  ): Promise<void> {
    let reply: Uint8Array;
    try {
      reply = target.kind === "unary"
        ? await this.#unary(call, target, payload)
        : await this.#serverStream(call, target, payload);
    } catch (error) {
      reply = statusFrame(call.streamId, toStatus(error));
    }
    call.settled();
    this.#calls.delete(call.streamId);
    this.#requestBytes -= call.requestBytes;
    if (call.over) call.replied();
    else {
      call.over = true;
      this.#send(reply, () => call.replied());
    }
    if (this.#closed && this.#calls.size === 0) this.#settled.resolve();
    else this.#closeIfDrained();
  }

  async #unary(
    call: Call,
    target: RegisteredMethod & { readonly kind: "unary" },
    payload: Uint8Array,
  ): Promise<Uint8Array> {
    const response = await target.handle(decodePayload(target, payload), call);
    if (response === undefined || response === null) {
      throw new Error("ttrpc: marshal called with nil");
    }
    return replyFrame(call.streamId, target.response.encode(response));
  }

  async #serverStream(
    call: Call,
    target: RegisteredMethod & { readonly kind: "serverStream" },
    payload: Uint8Array,
  ): Promise<Uint8Array> {
    const send = async (message: object): Promise<void> => {
      const bytes = target.response.encode(message);
      const frame = encodeFrame(call.streamId, FrameType.Data, 0, bytes);
      if (call.over) {
        throw new ShimError("Canceled", `Cannot send: ${call.name} is over`);
      }
      const written = Promise.withResolvers<void>();
      this.#send(frame, (cause) => {
        if (cause === undefined) return written.resolve();
        const error = `Cannot send: ${messageOf(cause)}`;
        written.reject(new ShimError("Canceled", error, { cause }));
      });
      await written.promise;
    };
    await target.handle(decodePayload(target, payload), call, (message) => {
      const sent = send(message);
      // A handler that does not await its last message is told by its signal.
      sent.catch(() => {});
      return sent;
    });
    const flags = FrameFlag.RemoteClosed | FrameFlag.NoData;
    return encodeFrame(call.streamId, FrameType.Data, flags, new Uint8Array());
  }
}

function decodePayload(
  target: RegisteredMethod,
  payload: Uint8Array,
): unknown {
  try {
    return target.request.decode(payload);
  } catch (error) {
    throw new ShimError(
      "Internal",
      `ttrpc: error unmarshalling payload: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
