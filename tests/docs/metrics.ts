/**
 * `docs/metrics.md`: every metric of a shim, made from their definitions.
 *
 * Usage: `tests/docs/metrics.ts` writes the file.
 *
 * @module
 */

import { buckets, type MetricDefinition } from "../../base/metrics.ts";
import { hostMetrics, shimLabels } from "../../shim/lcow/metrics.ts";
import { shimMetrics } from "../../shim/metrics.ts";

const columns = ["Metric", "Kind", "Labels", "What"];

function row({ name, kind, labels, help }: MetricDefinition): string[] {
  const named = labels.map((label) => `\`${label}\``).join(", ");
  return [`\`${name}\``, kind, named, help];
}

/** Rows of cells as a table whose columns are as wide as `deno fmt` has them. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((_, at) =>
    Math.max(...rows.map((cells) => cells[at]!.length))
  );
  const line = (cells: readonly string[], filler: string): string =>
    `| ${
      cells.map((cell, at) => cell.padEnd(widths[at]!, filler)).join(" | ")
    } |`;
  const [head, ...body] = rows;
  return [
    line(head!, " "),
    line(columns.map(() => ""), "-"),
    ...body.map((cells) => line(cells, " ")),
  ];
}

/** The whole document. */
export function metricsDocument(): string {
  const all: MetricDefinition[] = Object.values(shimMetrics);
  const ofHost: MetricDefinition[] = Object.values(hostMetrics);
  const [namespace, sandbox] = shimLabels;
  return [
    "# Metrics",
    "",
    "What a shim counts, as Prometheus text. Made from `shim/metrics.ts` by",
    "`deno task docs`; a test fails when the two differ. A metric without numbers is",
    "left out. `code` is `OK`, or the class of the error as gRPC names it.",
    "",
    ...table([columns, ...all.map(row)]),
    "",
    "`lcow metrics` prints those of all shims of a host as one text. Each sample has",
    `two more labels, \`${namespace}\` of containerd and \`${sandbox}\`: the id of the pod's`,
    "sandbox, or of the standalone container. A shim whose name nobody knows has the",
    "address of its endpoint there. Beside them there is",
    "",
    ...table([columns, ...ofHost.map(row)]),
    "",
    "Bounds of the buckets of every histogram, in seconds:",
    "",
    "```text",
    buckets.join(" "),
    "```",
    "",
  ].join("\n");
}

/** Where it stands. */
export const metricsPath: URL = new URL(
  "../../docs/metrics.md",
  import.meta.url,
);

if (import.meta.main) {
  await Deno.writeTextFile(metricsPath, metricsDocument());
}
