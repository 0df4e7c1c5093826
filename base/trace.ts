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

/** A tracer that records nothing. */
export const noTracer: Tracer = {
  span: (_kind, _name, _attributes, task) => task(),
  headers: () => undefined,
};
