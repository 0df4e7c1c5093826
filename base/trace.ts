/**
 * Tracing as a port: one span per call across a seam.
 *
 * @module
 */

/** Attributes of a span, as OpenTelemetry has them. */
export type SpanAttributes = Readonly<
  Record<string, string | number | boolean>
>;

/**
 * What a span is of: a call of a client (`rpc`), of the host to the guest
 * (`bridge`) and its work there (`guest`), of the compute service (`hcs`), of the
 * network service (`hcn`), or a phase in the life of a VM (`vm`).
 */
export type SpanKind = "rpc" | "bridge" | "guest" | "hcs" | "hcn" | "vm";

/** W3C trace headers: `traceparent`, and `tracestate` when there is one. */
export type TraceHeaders = Readonly<Record<string, string>>;

/** A span that has not ended. */
export interface OpenSpan {
  /** What it is of. */
  readonly kind: SpanKind;
  /** What is called. */
  readonly name: string;
  /** What the call is about. */
  readonly attributes: SpanAttributes;
  /** When it began, in milliseconds since 1970. */
  readonly startedAt: number;
}

/** Runs work inside spans. */
export interface Tracer {
  /**
   * Runs `task` in a span, which ends with it.
   *
   * @param kind What it is of.
   * @param name What is called, for example `Start`.
   * @param attributes What the call is about; `sandbox-id`, `uvm-id`, `cid` and
   * `eid` hold for the spans within, too.
   * @param task The work.
   * @param caller Headers of who called, when that is another process; else the
   * current span is the parent.
   */
  span<T>(
    kind: SpanKind,
    name: string,
    attributes: SpanAttributes,
    task: () => Promise<T>,
    caller?: TraceHeaders,
  ): Promise<T>;
  /** W3C trace headers of the current span, or undefined outside of one. */
  headers(): TraceHeaders | undefined;
}

/** A tracer that knows what is under way. */
export interface WatchedTracer extends Tracer {
  /** The spans that have not ended, in the order in which they began. */
  open(): readonly OpenSpan[];
}

/** A tracer that records nothing. */
export const noTracer: WatchedTracer = {
  span: (_kind, _name, _attributes, task) => task(),
  headers: () => undefined,
  open: () => [],
};
