/**
 * From a request frame to the encoded response: version, decoding, handler,
 * errors. Knows nothing of connections.
 *
 * @module
 */

import type { Codec } from "../base/codec.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import { HResult, HResultError, isNotFound } from "../base/hresult.ts";
import type { JsonObject } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import { noTracer, type Tracer } from "../base/trace.ts";
import { responseOfError } from "./errors.ts";
import type { Frame } from "./frames.ts";
import type {
  GuestCallContext,
  GuestHandlers,
  HandledRpc,
} from "./handlers.ts";
import { guestTypeName, protocolVersion } from "./message_types.ts";
import {
  type Capabilities,
  NegotiateRequest,
  NegotiateResponse,
  RequestBase,
  ResponseBase,
} from "./messages.gen.ts";
import { type Rpc, type RpcName, rpcOfType, rpcs } from "./rpcs.ts";

/** An encoded response. */
export type Answer = JsonObject;

/** What the dispatcher changes of a connection. */
export interface Negotiation {
  /** Version in force; 0 before the negotiation. */
  version: number;
}

/** How requests are dispatched. */
export interface DispatchOptions {
  /** Where failed calls are told. */
  readonly log: Logger;
  /** Aborts when the agent quits; handed to handlers. */
  readonly signal: AbortSignal;
  /** Gets a span per call, as part of the host's trace. Default: none. */
  readonly tracer?: Tracer;
  /** What the guest can do. Default: all of this agent's features. */
  readonly capabilities?: Capabilities;
  /** Versions to speak. Default: 4. */
  readonly versions?: readonly number[];
}

const ownCapabilities: Capabilities = {
  SupportedSchemaVersions: [{ Major: 2, Minor: 1 }],
  RuntimeOsType: "Linux",
  GuestDefinedCapabilities: {
    NamespaceAddRequestSupported: true,
    SignalProcessSupported: true,
    DumpStacksSupported: true,
    DeleteContainerStateSupported: true,
  },
};

type Handler = (
  request: RequestBase,
  context: GuestCallContext,
) => Promise<object | void>;

/** Characters of a received text that an error repeats. */
const quoteLimit = 1024;

/** Turns requests into answers. Never throws for what a host sends. */
export class RequestDispatcher {
  readonly #handlers: Readonly<Record<HandledRpc, Handler>>;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #tracer: Tracer;
  readonly #capabilities: Capabilities;
  readonly #versions: readonly number[];

  /**
   * @param handlers What the agent does.
   * @param options How requests are dispatched.
   * @throws {TypeError} When a call has no handler.
   */
  constructor(handlers: GuestHandlers, options: DispatchOptions) {
    for (const rpc of Object.keys(rpcs) as RpcName[]) {
      if (rpc === "NegotiateProtocol") continue;
      if (typeof handlers[rpc] === "function") continue;
      throw new TypeError(`The call ${rpc} has no handler`);
    }
    // A row's codec and its handler agree; the compiler sees it per row only.
    this.#handlers = handlers as unknown as Record<HandledRpc, Handler>;
    this.#log = options.log;
    this.#signal = options.signal;
    this.#tracer = options.tracer ?? noTracer;
    this.#capabilities = options.capabilities ?? ownCapabilities;
    this.#versions = options.versions ?? [protocolVersion];
  }

  /**
   * Answers one request under the version that is in force now.
   *
   * @returns The answer; negotiations and refusals at once, calls when their
   * handler is done. Never rejects.
   */
  dispatch(frame: Frame, negotiation: Negotiation): Answer | Promise<Answer> {
    const rpc = rpcOfType(frame.type);
    const negotiated = negotiation.version !== 0;
    const known = rpc !== undefined && this.#versions.length > 0 &&
      negotiated === (rpc !== "NegotiateProtocol");
    if (!known) return this.#refuse(frame);
    if (rpc === "NegotiateProtocol") return this.#negotiate(frame, negotiation);
    return this.#call(rpc, frame);
  }

  #refuse({ type, text }: Frame): Answer {
    const name = guestTypeName(type);
    this.#log.warn("Unsupported request", { type: name });
    const error = new HResultError(
      HResult.NotImplemented,
      `bridge: function not supported, header type: ${name}`,
    );
    return failure(error, readBase(text));
  }

  #negotiate({ text }: Frame, negotiation: Negotiation): Answer {
    let base: RequestBase | undefined;
    try {
      const request = decode(NegotiateRequest, text);
      base = request;
      const { MinimumVersion, MaximumVersion } = request;
      const version = this.#versions.findLast((version) =>
        version >= MinimumVersion && version <= MaximumVersion
      );
      if (version === undefined) {
        throw new HResultError(
          HResult.UnsupportedProtocolVersion,
          `Cannot negotiate a version from ${MinimumVersion} to ${MaximumVersion}: this guest speaks ${
            this.#versions.join(", ")
          }`,
        );
      }
      negotiation.version = version;
      return success(NegotiateResponse, {
        Result: 0,
        Version: version,
        Capabilities: this.#capabilities,
      }, request);
    } catch (error) {
      this.#log.warn("Negotiation failed", { error });
      return failure(error, base ?? readBase(text));
    }
  }

  async #call(rpc: HandledRpc, { text }: Frame): Promise<Answer> {
    let request: RequestBase;
    try {
      request = decode<RequestBase>(rpcs[rpc].request, text);
    } catch (error) {
      const base = readBase(text);
      this.#tell(rpc, base, error);
      return failure(error, base);
    }
    try {
      return await this.#tracer.span(
        "guest",
        rpc,
        { cid: request.ContainerId },
        () => this.#handle(rpc, request),
        request.otsc,
      );
    } catch (error) {
      return failure(error, request);
    }
  }

  /** @throws what the handler threw, which is told. */
  async #handle(rpc: HandledRpc, request: RequestBase): Promise<Answer> {
    const row: Rpc<RequestBase, ResponseBase> = rpcs[rpc];
    const context: GuestCallContext = {
      containerId: request.ContainerId,
      activityId: request.ActivityId,
      signal: this.#signal,
    };
    try {
      const reply = await this.#handlers[rpc](request, context);
      return success(row.response, { ...reply, Result: 0 }, request);
    } catch (error) {
      this.#tell(rpc, request, error);
      throw error;
    }
  }

  #tell(rpc: string, base: RequestBase | undefined, error: unknown): void {
    const fields = { rpc, cid: base?.ContainerId, error };
    if (isNotFound(error)) this.#log.debug("Call failed", fields);
    else if (error instanceof ShimError) this.#log.warn("Call failed", fields);
    else {
      const stack = error instanceof Error ? error.stack : undefined;
      this.#log.error("Call crashed", { ...fields, stack });
    }
  }
}

/** @throws {HResultError} HCS_E_INVALID_JSON quoting the text. */
function decode<T>(codec: Codec<T>, text: string): T {
  try {
    // A request without a body says nothing beyond its type.
    return codec.parse(text === "" ? "{}" : text);
  } catch (cause) {
    const quoted = text.length > quoteLimit
      ? `${text.slice(0, quoteLimit)}…`
      : text;
    throw new HResultError(
      HResult.InvalidJson,
      `failed to unmarshal JSON in message "${quoted.trimEnd()}": ${
        messageOf(cause)
      }`,
      { cause },
    );
  }
}

/** The common members of a request that could not be decoded, if they can be. */
function readBase(text: string): RequestBase | undefined {
  try {
    return RequestBase.parse(text);
  } catch {
    return undefined; // the answer then goes without them
  }
}

function success<T extends ResponseBase>(
  codec: Codec<T>,
  response: T,
  { ActivityId }: RequestBase,
): Answer {
  return codec.encode({ ...response, ActivityId }) as Answer;
}

function failure(error: unknown, base: RequestBase | undefined): Answer {
  const response = responseOfError(error);
  if (base !== undefined) response.ActivityId = base.ActivityId;
  return ResponseBase.encode(response) as Answer;
}
