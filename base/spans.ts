/**
 * Spans: who called whom, with what result, and how long it took. What runs now
 * is carried by `AsyncLocalStorage`, so that nobody hands it on.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { LogFields, Logger } from "./log.ts";
import type {
  OpenSpan,
  SpanAttributes,
  SpanKind,
  TraceHeaders,
  WatchedTracer,
} from "./trace.ts";
import {
  parseTraceHeaders,
  type SpanContext,
  traceHeaders,
} from "./trace_context.ts";

/** What a span is when it begins. */
export interface SpanStart extends OpenSpan {
  /** The span that it is part of. */
  readonly parent: SpanContext | undefined;
}

/** A span that has ended. */
export interface FinishedSpan extends SpanStart {
  /** Its own place in the trace. */
  readonly context: SpanContext;
  /** How long it took, in milliseconds. */
  readonly duration: number;
  /** What was thrown. */
  readonly error?: { readonly thrown: unknown };
}

/** Gets the spans that have ended. Never throws. */
export type SpanListener = (span: FinishedSpan) => void;

/** Spans that somebody else keeps, too, and gives their ids. */
export interface SpanExporter {
  /**
   * A span begins.
   *
   * @returns Its place in the trace, and who is told of its end.
   */
  start(span: SpanStart): {
    readonly context: SpanContext;
    readonly end: SpanListener;
  };
}

/** Where the time comes from. */
export interface SpanTime {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some moment; nobody sets this clock. */
  elapsed(): number;
}

/** Attributes that spans and log lines inherit. */
const correlationIds = ["sandbox-id", "uvm-id", "cid", "eid"] as const;

const systemTime: SpanTime = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
};

/** Bytes of randomness that are asked for at once: a request costs more than they do. */
const randomBytes = 1024;

/** Gives ids, and keeps nothing. */
function randomIds(): SpanExporter {
  let digits = "";
  const take = (count: number): string => {
    if (digits.length < count) {
      digits = crypto.getRandomValues(new Uint8Array(randomBytes)).toHex();
    }
    const taken = digits.slice(0, count);
    digits = digits.slice(count);
    return taken;
  };
  const end = (): void => {};
  return {
    start: ({ parent }) => ({
      context: { traceId: parent?.traceId ?? take(32), spanId: take(16) },
      end,
    }),
  };
}

/** A span that work may be in. */
interface CurrentSpan {
  readonly context: SpanContext;
  readonly attributes: SpanAttributes;
  readonly outer: CurrentSpan | undefined;
  isOver: boolean;
}

/** The correlation ids of a span; its own come before those of the outer ones. */
function idsOf(span: CurrentSpan): Record<string, unknown> {
  const ids = span.outer === undefined ? {} : idsOf(span.outer);
  for (const id of correlationIds) {
    const value = span.attributes[id];
    if (value !== undefined) ids[id] = value;
  }
  return ids;
}

/** How a {@linkcode SpanTracer} is made. */
export interface SpanTracerOptions {
  /** Keeps the spans, too. */
  readonly exporter?: SpanExporter | undefined;
  /** Default: the real time. */
  readonly time?: SpanTime;
}

/**
 * Makes spans and tells its listeners of their ends.
 *
 * @example A call within a call
 * ```ts
 * import { SpanTracer } from "./spans.ts";
 * const tracer = new SpanTracer();
 * const names: string[] = [];
 * tracer.onEnd(({ name }) => names.push(name));
 * await tracer.span("rpc", "Create", { cid: "web" }, async () => {
 *   await tracer.span("hcs", "modify", {}, async () => {
 *     console.assert(tracer.fields()?.["cid"] === "web");
 *   });
 * });
 * console.assert(names.join() === "modify,Create");
 * ```
 */
export class SpanTracer implements WatchedTracer {
  readonly #current = new AsyncLocalStorage<CurrentSpan>();
  readonly #open = new Set<OpenSpan>();
  readonly #listeners: SpanListener[] = [];
  readonly #exporter: SpanExporter;
  readonly #time: SpanTime;

  /** @param options See {@linkcode SpanTracerOptions}. */
  constructor({ exporter, time }: SpanTracerOptions = {}) {
    this.#exporter = exporter ?? randomIds();
    this.#time = time ?? systemTime;
  }

  /** Tells of every span that ends from now on. */
  onEnd(listener: SpanListener): void {
    this.#listeners.push(listener);
  }

  async span<T>(
    kind: SpanKind,
    name: string,
    attributes: SpanAttributes,
    task: () => Promise<T>,
    caller?: TraceHeaders,
  ): Promise<T> {
    const outer = this.#current.getStore();
    const remote = caller === undefined ? undefined : parseTraceHeaders(caller);
    const parent = remote ?? outer?.context;
    const startedAt = this.#time.now();
    const start = { kind, name, attributes, startedAt, parent };
    const { context: own, end } = this.#exporter.start(start);
    const context = parent?.traceState === undefined
      ? own
      : { ...own, traceState: parent.traceState };
    const current = { context, attributes, outer, isOver: false };
    const begun = this.#time.elapsed();
    this.#open.add(start);
    let error: FinishedSpan["error"];
    try {
      return await this.#current.run(current, task);
    } catch (thrown) {
      error = { thrown };
      throw thrown;
    } finally {
      current.isOver = true;
      this.#open.delete(start);
      const duration = this.#time.elapsed() - begun;
      const span = { ...start, context, duration, ...(error && { error }) };
      end(span);
      for (const listener of this.#listeners) listener(span);
    }
  }

  headers(): TraceHeaders | undefined {
    const current = this.#current.getStore();
    return current === undefined ? undefined : traceHeaders(current.context);
  }

  open(): readonly OpenSpan[] {
    return [...this.#open];
  }

  /**
   * Trace, span and correlation ids of what runs now, for log lines. Work that
   * goes on behind the end of its call, such as a relay, has none of them.
   */
  fields(): LogFields | undefined {
    let current = this.#current.getStore();
    while (current?.isOver) current = current.outer;
    if (current === undefined) return undefined;
    const { traceId, spanId } = current.context;
    return { trace_id: traceId, span_id: spanId, ...idsOf(current) };
  }
}

/** Writes ended spans to a log, as lines of level debug with the text `Span`. */
export function logSpans(log: Logger): SpanListener {
  return ({ kind, name, attributes, startedAt, duration, ...span }) =>
    log.debug("Span", {
      kind,
      name,
      trace_id: span.context.traceId,
      span_id: span.context.spanId,
      ...(span.parent && { parent_span_id: span.parent.spanId }),
      ...attributes,
      started: new Date(startedAt).toISOString(),
      duration_ms: Math.round(duration * 1000) / 1000,
      ...(span.error && { error: span.error.thrown }),
    });
}
