/**
 * Spans for a collector of the operator: through the OpenTelemetry API to the
 * exporter that Deno has built in. Loaded only when `OTEL_DENO` turns that on.
 *
 * @module
 */

import {
  ROOT_CONTEXT,
  type SpanContext as OtelContext,
  SpanKind as OtelKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import { classify, messageOf } from "../base/errors.ts";
import { scrubText } from "../base/log.ts";
import type { SpanExporter } from "../base/spans.ts";
import type { SpanKind } from "../base/trace.ts";
import type { SpanContext } from "../base/trace_context.ts";
import { shimName } from "./args.ts";

/** What OpenTelemetry calls the kinds. */
const kinds: Readonly<Record<SpanKind, OtelKind>> = {
  rpc: OtelKind.SERVER,
  bridge: OtelKind.CLIENT,
  guest: OtelKind.SERVER,
  hcs: OtelKind.CLIENT,
  hcn: OtelKind.CLIENT,
  vm: OtelKind.INTERNAL,
};

function otelContext({ traceId, spanId }: SpanContext): OtelContext {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
}

/** Names of spans beside those of other programs: an RPC's has its service. */
function fullName(kind: SpanKind, name: string): string {
  return kind === "rpc" ? name : `${kind}.${name}`;
}

/**
 * Hands every span to OpenTelemetry.
 *
 * @param version Version of this program.
 */
export function openTelemetry(version: string): SpanExporter {
  const tracer = trace.getTracer(shimName, version);
  return {
    start: ({ kind, name, attributes, startedAt, parent }) => {
      const options = {
        kind: kinds[kind],
        attributes,
        startTime: startedAt,
      };
      const context = parent === undefined
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, otelContext(parent));
      const span = tracer.startSpan(fullName(kind, name), options, context);
      const { traceId, spanId } = span.spanContext();
      return {
        context: { traceId, spanId },
        end: ({ duration, error }) => {
          if (error !== undefined) {
            span.setAttribute("error.type", classify(error.thrown));
            span.setStatus({
              code: SpanStatusCode.ERROR,
              message: scrubText(messageOf(error.thrown)),
            });
          }
          span.end(startedAt + duration);
        },
      };
    },
  };
}
