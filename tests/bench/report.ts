/**
 * Medians, percentiles and ratios of a benchmark, and their table.
 *
 * @module
 */

/** Milliseconds (or MiB) by name. */
export type Sample = Record<string, number>;

/** The phases of one run, in the order in which they are printed. */
const phases = [
  "shim-start",
  "connect",
  "vm-boot",
  "create",
  "task-start",
  "first-output",
  "exec",
  "delete",
  "total",
  "stdio-8B",
  "stdio-4KiB",
  "stdio-4MiB",
  "rss-MiB",
] as const;

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ??
    NaN;
}

/** One phase of one column. */
export interface Row {
  readonly median: number;
  readonly p95: number;
}

/** Median and p95 of every phase that was measured. */
export function summarize(samples: readonly Sample[]): Record<string, Row> {
  const rows: Record<string, Row> = {};
  for (const phase of phases) {
    const values = samples.flatMap((sample) => sample[phase] ?? []);
    if (values.length === 0) continue;
    rows[phase] = {
      median: quantile(values, 0.5),
      p95: quantile(values, 0.95),
    };
  }
  return rows;
}

/** Prints the columns first, second and peer, and the ratios of their medians. */
export function printReport(
  columns: Record<string, Record<string, Row>>,
): void {
  const cell = (row: Row | undefined): string =>
    (row === undefined
      ? "–"
      : `${row.median.toFixed(1)} (${row.p95.toFixed(1)})`).padStart(18);
  const ratio = (ours: Row | undefined, peer: Row | undefined): string =>
    (ours && peer ? (ours.median / peer.median).toFixed(2) : "–").padStart(8);
  const [first = {}, second = {}, peer = {}] = Object.values(columns);
  console.log(
    `${"phase: median (p95)".padEnd(20)}${
      ["first of a pod", "second in a pod", "peer"].map((name) =>
        name.padStart(18)
      ).join("")
    }${"1st/peer".padStart(10)}${"2nd/peer".padStart(10)}`,
  );
  for (const phase of phases) {
    console.log(
      phase.padEnd(20) + cell(first[phase]) + cell(second[phase]) +
        cell(peer[phase]) +
        `  ${ratio(first[phase], peer[phase])}  ${
          ratio(second[phase], peer[phase])
        }`,
    );
  }
}
