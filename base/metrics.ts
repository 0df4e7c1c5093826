/**
 * Counters, gauges and histograms, defined by a table and told as Prometheus text
 * (exposition format 0.0.4).
 *
 * @module
 */

/** One metric. */
export interface MetricDefinition {
  /** What kind of numbers it has. */
  readonly kind: "counter" | "gauge" | "histogram";
  /** Its name, by the rules of Prometheus: `lcow_events_lost_total`. */
  readonly name: string;
  /** What it means, for people. */
  readonly help: string;
  /** Names of its labels. */
  readonly labels: readonly string[];
  /**
   * Label values that a counter has from the start, at 0: what grows is seen only
   * where there was a number before.
   */
  readonly known?: readonly (readonly string[])[];
}

/** Metrics by the names that code calls them. */
export type MetricTable = Readonly<Record<string, MetricDefinition>>;

/** A value for each of some labels, in their order. */
export type Values<L extends readonly string[]> = {
  readonly [I in keyof L]: string;
};

/** One value per label, in the order of the definition. */
export type LabelValues<D extends MetricDefinition> = Values<D["labels"]>;

/** The metrics of one kind. */
export type MetricsOf<
  T extends MetricTable,
  K extends MetricDefinition["kind"],
> = {
  [N in keyof T]: T[N]["kind"] extends K ? N : never;
}[keyof T];

/** One number of a gauge, read when it is told. */
export type Sample<D extends MetricDefinition> = readonly [
  labels: LabelValues<D>,
  value: number,
];

/** The numbers of all gauges of a table. */
export type Gauges<T extends MetricTable> = {
  readonly [N in MetricsOf<T, "gauge">]: readonly Sample<T[N]>[];
};

/**
 * Upper bounds of the buckets of every histogram, in seconds: from the fastest
 * call of the bridge to the longest bound of a call, and beyond.
 */
export const buckets: readonly number[] = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
  ...[1, 2.5, 5, 10, 30, 60, 300],
];

/** What was counted under one set of label values. */
interface Series {
  readonly labels: readonly string[];
  /** Sum of what was added or observed. */
  sum: number;
  /** How often; only of histograms. */
  count: number;
  /** Observations per bucket, not those of smaller ones; only of histograms. */
  readonly buckets: number[];
}

/** Separates label values in keys; no label has it. */
const separator = "\0";

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}

/**
 * One sample as text, without a line feed.
 *
 * @param name Its name.
 * @param labels Its labels; the values are escaped.
 * @param value The number.
 */
export function sampleText(
  name: string,
  labels: readonly (readonly [name: string, value: string])[],
  value: number,
): string {
  const inner = labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",");
  return `${name}${inner && `{${inner}}`} ${numberText(value)}`;
}

function histogramLines(
  name: string,
  labels: readonly (readonly [string, string])[],
  series: Series,
): string[] {
  let below = 0;
  const rows = buckets.map((bound, at) => {
    below += series.buckets[at]!;
    const bucket = [...labels, ["le", numberText(bound)]] as const;
    return sampleText(`${name}_bucket`, bucket, below);
  });
  return [
    ...rows,
    sampleText(`${name}_bucket`, [...labels, ["le", "+Inf"]], series.count),
    sampleText(`${name}_sum`, labels, series.sum),
    sampleText(`${name}_count`, labels, series.count),
  ];
}

/**
 * The numbers of one table.
 *
 * @example Count and tell
 * ```ts
 * import { Metrics } from "./metrics.ts";
 * const metrics = new Metrics({
 *   lost: {
 *     kind: "counter",
 *     name: "lcow_events_lost_total",
 *     help: "Events that nobody got.",
 *     labels: ["topic"],
 *   },
 * });
 * metrics.add("lost", ["/tasks/exit"]);
 * console.assert(
 *   metrics.text({}).includes('lcow_events_lost_total{topic="/tasks/exit"} 1'),
 * );
 * ```
 */
export class Metrics<const T extends MetricTable> {
  readonly #table: T;
  readonly #series = new Map<keyof T, Map<string, Series>>();

  /**
   * @param table What is counted. A counter without labels begins at 0, as do the
   * known label values of others.
   */
  constructor(table: T) {
    this.#table = table;
    const definitions: [string, MetricDefinition][] = Object.entries(table);
    for (const [name, { kind, labels, known = [] }] of definitions) {
      this.#series.set(name, new Map());
      if (kind === "counter" && labels.length === 0) this.#of(name, []);
      for (const values of known) this.#of(name, values);
    }
  }

  #of(name: keyof T, labels: readonly string[]): Series {
    const all = this.#series.get(name)!;
    const key = labels.join(separator);
    let series = all.get(key);
    if (series === undefined) {
      const { kind } = this.#table[name]!;
      series = {
        labels,
        sum: 0,
        count: 0,
        buckets: kind === "histogram" ? buckets.map(() => 0) : [],
      };
      all.set(key, series);
    }
    return series;
  }

  /**
   * Counts.
   *
   * @param name A counter.
   * @param labels Its label values; they must be few.
   * @param by How much, not negative.
   */
  add<N extends MetricsOf<T, "counter">>(
    name: N,
    labels: LabelValues<T[N]>,
    by = 1,
  ): void {
    this.#of(name, labels).sum += by;
  }

  /**
   * Adds an observation to a histogram.
   *
   * @param name The histogram.
   * @param labels Its label values; they must be few.
   * @param seconds What was observed.
   */
  observe<N extends MetricsOf<T, "histogram">>(
    name: N,
    labels: LabelValues<T[N]>,
    seconds: number,
  ): void {
    const series = this.#of(name, labels);
    series.count++;
    series.sum += seconds;
    for (let at = 0; at < buckets.length; at++) {
      if (seconds > buckets[at]!) continue;
      series.buckets[at]!++;
      return;
    }
  }

  /**
   * All numbers as Prometheus text, in the order of the table.
   *
   * @param gauges What the gauges show now.
   */
  text(gauges: Gauges<T>): string {
    const samples = new Map(Object.entries<readonly Sample<MetricDefinition>[]>(
      gauges,
    ));
    const families = Object.entries(this.#table).map(([key, metric]) => {
      const { kind, name, help, labels } = metric;
      const named = (values: readonly string[]): [string, string][] =>
        labels.map((label, at) => [label, values[at]!]);
      const rows = kind === "gauge"
        ? samples.get(key)!.map(([values, value]) =>
          sampleText(name, named(values), value)
        )
        : [...this.#series.get(key)!.values()].flatMap((series) =>
          kind === "counter"
            ? [sampleText(name, named(series.labels), series.sum)]
            : histogramLines(name, named(series.labels), series)
        );
      if (rows.length === 0) return "";
      const head = `# HELP ${name} ${
        escapeHelp(help)
      }\n# TYPE ${name} ${kind}\n`;
      return `${head}${rows.join("\n")}\n`;
    });
    return families.join("");
  }
}
