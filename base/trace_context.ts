/**
 * W3C Trace Context: the place of a span in its trace, as headers carry it.
 *
 * @module
 */

import type { TraceHeaders } from "./trace.ts";

/** The place of a span in a trace. */
export interface SpanContext {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits, not all zero. */
  readonly spanId: string;
  /** What other tracers added; passed on as it came. */
  readonly traceState?: string;
}

/** Version, trace, span, flags; versions after 00 may say more behind them. */
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;

/** Characters of a `tracestate` that are passed on (W3C: at least 512). */
const maxTraceState = 512;

/** Printable ASCII, which is all that a `tracestate` may have. */
const printable = /^[\x20-\x7e]+$/;

/**
 * Reads trace headers.
 *
 * @param headers Whatever came: it is not trusted.
 * @returns Undefined without a valid `traceparent`. A `tracestate` that is too
 * long or not printable is left out.
 */
export function parseTraceHeaders(
  { traceparent = "", tracestate = "" }: TraceHeaders,
): SpanContext | undefined {
  const parts = form.exec(traceparent);
  if (parts === null) return undefined;
  const [, version, traceId, spanId, more] = parts as unknown as string[];
  if (version === "ff" || version === "00" && more !== undefined) {
    return undefined;
  }
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined;
  const context = { traceId: traceId!, spanId: spanId! };
  const isKept = tracestate.length <= maxTraceState &&
    printable.test(tracestate);
  return isKept ? { ...context, traceState: tracestate } : context;
}

/** The headers that name a span as the parent; everything is sampled. */
export function traceHeaders(
  { traceId, spanId, traceState }: SpanContext,
): TraceHeaders {
  const traceparent = `00-${traceId}-${spanId}-01`;
  return traceState === undefined
    ? { traceparent }
    : { traceparent, tracestate: traceState };
}
