/**
 * Whether spans go to a collector.
 *
 * @module
 */

import type { SpanExporter } from "../base/spans.ts";
import { shimVersion } from "./version.ts";

/** Where Deno puts its half of OpenTelemetry's API before it runs any module. */
const apiName = Symbol.for("opentelemetry.js.api.1");

/**
 * The way to Deno's exporter; undefined when it does not export spans. The
 * variables that turn it on tell less: `deno compile` reads them, and the
 * executable does not.
 */
export async function spanExporter(): Promise<SpanExporter | undefined> {
  const api: { readonly trace?: unknown } | undefined = Reflect.get(
    globalThis,
    apiName,
  );
  if (api?.trace === undefined) return undefined;
  const { openTelemetry } = await import("./open_telemetry.ts");
  return openTelemetry(shimVersion);
}
