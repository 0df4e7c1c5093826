/**
 * The calls of clients that are under way: what a shim is doing, and for how
 * long.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { SpanAttributes, TraceHeaders, Tracer } from "../base/trace.ts";
import type { CallContext, Handlers } from "../ttrpc/handlers.ts";
import type { ServiceType } from "../ttrpc/message.ts";
import { logFailedCall } from "./call_failures.ts";

/** A call that is not answered yet. */
export interface CallUnderWay {
  /** Full name of the service. */
  readonly service: string;
  /** Name of the method. */
  readonly method: string;
  /** Ids that the request names, for example `web` and the exec id `probe`. */
  readonly ids: readonly string[];
  /** When it came, in milliseconds since 1970. */
  readonly since: number;
  /** Whether anybody waits for the answer still. */
  readonly hasClient: boolean;
}

/** Members of requests that say what a call is about. */
const idMembers = ["sandboxId", "id", "execId"] as const;

/** A handler, its messages no longer known. */
type AnyHandler = (
  request: Readonly<Record<string, unknown>>,
  context: CallContext,
  ...rest: readonly unknown[]
) => Promise<unknown>;

/** A call, as it is kept. */
interface Entry extends Omit<CallUnderWay, "hasClient"> {
  readonly signal: AbortSignal;
}

/** What {@linkcode Calls} need. */
export interface CallsParts {
  /** Source of time. */
  readonly clock: Clock;
  /** Gets a line per call that fails. */
  readonly log: Logger;
  /** Gets a span per call, as part of the client's trace. */
  readonly tracer: Tracer;
  /** The id of the sandbox that a task is in, or is to be in. */
  readonly sandboxOf: (taskId: string) => string | undefined;
}

/** The trace headers that a client sent. */
function headersOf({ metadata }: CallContext): TraceHeaders {
  const [traceparent = ""] = metadata.get("traceparent") ?? [];
  const tracestate = (metadata.get("tracestate") ?? []).join();
  return { traceparent, tracestate };
}

/** The registry of the calls under way. */
export class Calls {
  readonly #parts: CallsParts;
  readonly #entries = new Set<Entry>();

  /** @param parts See {@linkcode CallsParts}. */
  constructor(parts: CallsParts) {
    this.#parts = parts;
  }

  /** The calls under way, in the order in which they came. */
  get underWay(): readonly CallUnderWay[] {
    return [...this.#entries].map(({ signal, ...call }) => ({
      ...call,
      hasClient: !signal.aborted,
    }));
  }

  /** The same handlers; their calls are listed and traced, their failures logged. */
  watch<S extends ServiceType>(handlers: Handlers<S>): Handlers<S> {
    const watched = Object.entries<AnyHandler>(
      handlers as unknown as Record<string, AnyHandler>,
    ).map(([name, handler]) => [name, this.#watch(handler)]);
    return Object.fromEntries(watched);
  }

  #watch(handler: AnyHandler): AnyHandler {
    return async (request, context, ...rest) => {
      const { service, method, signal } = context;
      const ids = idMembers.map((member) => request[member])
        .filter((id) => typeof id === "string" && id !== "") as string[];
      const { clock, tracer } = this.#parts;
      const since = clock.now();
      const entry = { service, method, ids, since, signal };
      this.#entries.add(entry);
      try {
        return await tracer.span(
          "rpc",
          `${service}/${method}`,
          this.#attributes(request),
          () => this.#logged(context, () => handler(request, context, ...rest)),
          headersOf(context),
        );
      } finally {
        this.#entries.delete(entry);
      }
    };
  }

  /** Within the span, whose ids the line is to have. */
  async #logged<T>(
    call: CallContext,
    handle: () => Promise<T>,
  ): Promise<T> {
    try {
      return await handle();
    } catch (error) {
      logFailedCall(this.#parts.log, call, error);
      throw error;
    }
  }

  /** What a request is about, in the names of log fields. */
  #attributes(request: Readonly<Record<string, unknown>>): SpanAttributes {
    const { sandboxId, id, execId } = request;
    const sandbox = typeof sandboxId === "string"
      ? sandboxId
      : typeof id === "string"
      ? this.#parts.sandboxOf(id)
      : undefined;
    return {
      ...(sandbox && { "sandbox-id": sandbox }),
      ...(typeof id === "string" && id !== "" && { cid: id }),
      ...(typeof execId === "string" && execId !== "" && { eid: execId }),
    };
  }
}
