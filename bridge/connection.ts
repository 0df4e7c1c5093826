/**
 * The host's side of the bridge: calls into the guest, matched with their
 * answers by id, and the guest's notifications.
 *
 * The guest is not trusted: whatever it sends, the worst is an end of this
 * connection with an error that says why.
 *
 * @module
 */

import { abortable, type Clock, systemClock } from "../base/clock.ts";
import type { Duplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import { isNotFound } from "../base/hresult.ts";
import type { LogFields, Logger } from "../base/log.ts";
import { defaultTimeouts, limits, type Timeouts } from "../base/timeouts.ts";
import { noTracer, type SpanAttributes, type Tracer } from "../base/trace.ts";
import { type ContainerWatch, ContainerWatches } from "./container_watches.ts";
import { bridgeClosed, type BridgeEnd, errorOfResponse } from "./errors.ts";
import { type Frame, FrameReader, FrameWriter } from "./frames.ts";
import {
  classOf,
  containerNotificationType,
  messageClass,
  protocolVersion,
  responseType,
  typeName,
} from "./message_types.ts";
import {
  type Capabilities,
  ContainerNotification,
  NullContainerDocument,
} from "./messages.gen.ts";
import {
  type RpcName,
  rpcNamed,
  type RpcRequest,
  type RpcResponse,
} from "./rpcs.ts";

/** How a connection is opened. */
export interface ConnectionOptions {
  /** Where the end of the bridge and the guest's error records are told. */
  readonly log: Logger;
  /** Source of time for the bound of calls. Default: the real time. */
  readonly clock?: Clock;
  /** `guestCall` bounds every call. */
  readonly timeouts?: Timeouts;
  /** Gets a span per call; its trace headers go to the guest. */
  readonly tracer?: Tracer;
  /** Ends the handshake early. */
  readonly signal?: AbortSignal;
  /** True for a freshly booted guest. Default true. */
  readonly coldStart?: boolean;
}

/** A call that the guest has not answered yet. */
export interface GuestCall {
  /** What it asks for, for example `ExecuteProcess`. */
  readonly rpc: string;
  /** Its target; the null GUID is the VM itself. */
  readonly containerId: string;
  /** When it was sent, in milliseconds since 1970. */
  readonly since: number;
}

/** A call whose answer is still to come. */
interface PendingCall extends GuestCall {
  readonly responseType: number;
  /** Takes the answer. @throws {ShimError} when it cannot be decoded. */
  readonly answer: (text: string) => void;
  /** The bridge is lost. */
  readonly lost: (cause?: Error) => void;
}

/** Reason with which the timer of an answered call is stopped. */
const answered = new DOMException("The call was answered", "AbortError");

/** A connection to the guest agent of one VM. */
export class GuestConnection {
  /** Settles when the bridge has ended; never rejects. */
  readonly ended: Promise<BridgeEnd>;

  readonly #stream: Duplex;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #timeouts: Timeouts;
  readonly #tracer: Tracer;
  readonly #writer: FrameWriter;
  readonly #calls = new Map<bigint, PendingCall>();
  readonly #watches = new ContainerWatches();
  readonly #settleEnded: (end: BridgeEnd) => void;
  #nextId = 0n;
  #end: BridgeEnd | undefined;
  #closed: Promise<void> | undefined;
  #capabilities: Capabilities = {};

  private constructor(stream: Duplex, options: ConnectionOptions) {
    this.#stream = stream;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#timeouts = options.timeouts ?? defaultTimeouts;
    this.#tracer = options.tracer ?? noTracer;
    this.#writer = new FrameWriter(stream, {
      limit: limits.hostFrame,
      lineFeed: true,
    });
    const { promise, resolve } = Promise.withResolvers<BridgeEnd>();
    this.ended = promise;
    this.#settleEnded = resolve;
  }

  /**
   * Shakes hands with the guest agent.
   *
   * @param stream The stream that the guest dialled; owned from here on.
   * @throws {ShimError} Unavailable when the bridge is lost, FailedPrecondition
   * when the guest speaks another version or does not say what it can do, the
   * signal's reason. The stream is closed then.
   */
  static async open(
    stream: Duplex,
    options: ConnectionOptions,
  ): Promise<GuestConnection> {
    const connection = new GuestConnection(stream, options);
    connection.#receive();
    try {
      await connection.#shakeHands(options);
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** What the guest said that it can do. */
  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  /** The calls that the guest has not answered yet, oldest first. */
  get pending(): readonly GuestCall[] {
    return [...this.#calls.values()].map(({ rpc, containerId, since }) => ({
      rpc,
      containerId,
      since,
    }));
  }

  async #shakeHands(
    { signal, coldStart = true }: ConnectionOptions,
  ): Promise<void> {
    const options = signal === undefined ? {} : { signal };
    const { Version, Capabilities } = await this.call("NegotiateProtocol", "", {
      MinimumVersion: protocolVersion,
      MaximumVersion: protocolVersion,
    }, options);
    if (Version !== protocolVersion) {
      throw new ShimError(
        "FailedPrecondition",
        `Cannot talk to the guest: unexpected version ${Version} returned, this host speaks ${protocolVersion}`,
      );
    }
    if (Capabilities.GuestDefinedCapabilities === undefined) {
      throw new ShimError(
        "FailedPrecondition",
        "Cannot talk to the guest: it does not say what it can do (GuestDefinedCapabilities is missing)",
      );
    }
    this.#capabilities = Capabilities;
    if (!coldStart || !Capabilities.SendHostCreateMessage) return;
    await this.call("Create", nullGuid, {
      ContainerConfig: NullContainerDocument.format({
        SystemType: "Container",
        TimeZoneInformation: null,
      }),
    }, options);
    if (Capabilities.SendHostStartMessage) {
      await this.call("Start", nullGuid, {}, options);
    }
  }

  /**
   * Calls the guest and waits for the answer, at most `timeouts.guestCall`
   * except for WaitForProcess. A call that takes longer ends the bridge.
   *
   * @param rpc The call.
   * @param containerId Its target; the null GUID is the VM itself.
   * @param body Members of the request beside the common ones.
   * @param options The signal prevents every call that is not sent yet, and ends
   * the wait of calls that are cancelable; their late answer is dropped.
   * @throws {HResultError} What the guest answered, or Unavailable with "bridge
   * closed" when the bridge is lost.
   * @throws {ShimError} InvalidArgument or ResourceExhausted when the request
   * cannot be encoded; the bridge lives on.
   */
  call<R extends RpcName>(
    rpc: R,
    containerId: string,
    body: RpcRequest<R>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<RpcResponse<R>> {
    return this.#tracer.span(
      "bridge",
      rpc,
      spanAttributes(containerId, body),
      () => this.#call(rpc, containerId, body, options.signal),
    );
  }

  async #call<R extends RpcName>(
    rpc: R,
    containerId: string,
    body: RpcRequest<R>,
    signal: AbortSignal | undefined,
  ): Promise<RpcResponse<R>> {
    signal?.throwIfAborted();
    const what = `Cannot call ${rpc} in the guest${subject(containerId)}`;
    if (this.#end !== undefined) throw bridgeClosed(what, this.#end.error);

    const { type, request, response, cancelable, bounded } = rpcNamed(rpc);
    const headers = rpc === "NegotiateProtocol"
      ? undefined
      : this.#tracer.headers();
    const message = { ContainerId: containerId, ActivityId: nullGuid, ...body };
    const text = request.format(
      headers === undefined ? message : { ...message, otsc: headers },
    );

    const id = this.#nextId;
    this.#writer.send(type, id, text).catch((error) => this.#fail(error));
    this.#nextId = id + 1n;
    const { promise, resolve, reject } = Promise.withResolvers<
      RpcResponse<R>
    >();
    let failure: LogFields | undefined;
    this.#calls.set(id, {
      rpc,
      containerId,
      since: this.#clock.now(),
      responseType: responseType(type),
      answer: (text) => {
        const reply = response.parse(text);
        const error = errorOfResponse(reply);
        if (error === undefined) return resolve(reply);
        failure = { rpc, cid: containerId, error, records: reply.ErrorRecords };
        reject(error);
      },
      lost: (cause) => reject(bridgeClosed(what, cause)),
    });
    // Here, not where it is read: so the line belongs to the caller's span.
    promise.catch((error) => {
      if (failure === undefined) return; // the bridge is lost, which is told
      if (isNotFound(error)) this.#log.debug("Guest call failed", failure);
      else this.#log.warn("Guest call failed", failure);
    });

    const mayLeave = cancelable === "yes" ||
      cancelable === "null container" && containerId === nullGuid;
    const reply = mayLeave ? abortable(promise, signal) : promise;
    if (!bounded) return await reply;
    const timer = new AbortController();
    this.#clock.sleep(this.#timeouts.guestCall, timer.signal).then(
      () => this.#fail(this.#timeout(rpc)),
      () => {}, // answered in time
    );
    try {
      return await reply;
    } finally {
      timer.abort(answered);
    }
  }

  #timeout(rpc: RpcName): ShimError {
    return new ShimError(
      "DeadlineExceeded",
      `message timeout: no answer to ${rpc} within ${this.#timeouts.guestCall} ms`,
    );
  }

  /**
   * Registers a container for the notification of its end. Do it before the
   * guest hears of the container: an end that nobody waits for breaks the bridge.
   *
   * @throws {ShimError} AlreadyExists when the id is being watched; Unavailable
   * when the bridge has ended.
   */
  watchContainer(id: string): ContainerWatch {
    if (this.#end !== undefined) {
      throw bridgeClosed(`Cannot watch container "${id}"`, this.#end.error);
    }
    return this.#watches.watch(id);
  }

  /** Ends the bridge in order; every pending call fails. Idempotent. */
  async close(): Promise<void> {
    this.#fail();
    await this.#closed;
  }

  /** Reads until the stream ends. Never rejects. */
  async #receive(): Promise<void> {
    const reader = new FrameReader(this.#stream, limits.guestFrame);
    try {
      for (;;) {
        const frame = await reader.next();
        if (frame === undefined || this.#end !== undefined) break;
        this.#accept(frame);
      }
      this.#fail();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @throws {ShimError} when the guest must not send this. */
  #accept({ type, id, text }: Frame): void {
    if (type === containerNotificationType) {
      const notification = ContainerNotification.parse(text);
      return this.#watches.terminated(notification.ContainerId);
    }
    if (classOf(type) !== messageClass.response) {
      throw new ShimError(
        "InvalidArgument",
        `The guest sent a message of unknown type ${typeName(type)}`,
      );
    }
    const call = this.#calls.get(id);
    if (call === undefined) {
      throw new ShimError(
        "InvalidArgument",
        `The guest answered a call that is not pending: ${
          typeName(type)
        } with id ${id}`,
      );
    }
    if (type !== call.responseType) {
      throw new ShimError(
        "InvalidArgument",
        `The guest answered call ${id} with a ${typeName(type)} instead of a ${
          typeName(call.responseType)
        }`,
      );
    }
    call.answer(text);
    this.#calls.delete(id);
  }

  /** Ends the bridge, with an error unless it ends in order. The first end counts. */
  #fail(cause?: unknown): void {
    if (this.#end !== undefined) return;
    const error = cause === undefined || cause instanceof Error
      ? cause
      : new Error(String(cause));
    this.#end = error === undefined ? {} : { error };
    if (error === undefined) this.#log.debug("Bridge ended");
    else this.#log.error("Bridge failed", { error });
    for (const call of this.#calls.values()) call.lost(error);
    this.#calls.clear();
    this.#watches.end();
    this.#closed = this.#stream.close().catch((error) =>
      this.#log.warn("Cannot close the bridge's stream", { error })
    );
    this.#settleEnded(this.#end);
  }
}

/** What a call is about; the VM itself has no id of its own here. */
function spanAttributes(containerId: string, body: object): SpanAttributes {
  const cid = containerId === "" || containerId === nullGuid
    ? {}
    : { cid: containerId };
  return "ProcessId" in body && typeof body.ProcessId === "number"
    ? { ...cid, pid: body.ProcessId }
    : cid;
}

function subject(containerId: string): string {
  return containerId === "" || containerId === nullGuid
    ? ""
    : ` for container "${containerId}"`;
}
