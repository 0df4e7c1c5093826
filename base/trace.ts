/**
 * Tracing as a port: one span per call across a seam.
 *
 * @module
 */

/** Attributes of a span, as OpenTelemetry has them. */
export type SpanAttributes = Readonly<
  Record<string, string | number | boolean>
>;

/** Runs work inside spans. */
export interface Tracer {
  /** Runs `task` in a span of this name; the span ends with it. */
  span<T>(
    name: string,
    attributes: SpanAttributes,
    task: () => Promise<T>,
  ): Promise<T>;
  /** W3C trace headers of the current span, or undefined outside of one. */
  headers(): Readonly<Record<string, string>> | undefined;
}

/** A tracer that records nothing. */
export const noTracer: Tracer = {
  span: (_name, _attributes, task) => task(),
  headers: () => undefined,
};
