/**
 * Prometheus text (exposition format 0.0.4) of several shims as one. Pure.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { sampleText } from "../../base/metrics.ts";

/** Labels of a sample, in their order; values are not escaped. */
export type Labels = readonly (readonly [name: string, value: string])[];

/** One number. */
export interface ExposedSample {
  /** The metric's name, or one of its parts, for example `x_bucket`. */
  readonly name: string;
  /** Its labels. */
  readonly labels: Labels;
  /** The number. */
  readonly value: number;
}

/** One metric. */
export interface Family {
  /** Its name. */
  readonly name: string;
  /** For example `counter`. */
  readonly kind: string;
  /** What it means; escaped as it was written. */
  readonly help: string;
  /** Its numbers. */
  readonly samples: readonly ExposedSample[];
}

/** What one shim told. */
export interface Exposition {
  /** Labels that tell it apart from the others. */
  readonly labels: Labels;
  /** Its metrics. */
  readonly families: readonly Family[];
}

const headLine = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/;
const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const labelPair = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/y;
const numberText =
  /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i;

/** Names of the samples of a metric. */
function sampleNames(kind: string, name: string): readonly string[] {
  if (kind !== "histogram" && kind !== "summary") return [name];
  return [name, `${name}_bucket`, `${name}_sum`, `${name}_count`];
}

function unescapeLabel(text: string): string {
  return text.replaceAll(
    /\\(.)/g,
    (_, char) => char === "n" ? "\n" : char,
  );
}

function parseLabels(text: string): Labels | undefined {
  const labels: [string, string][] = [];
  labelPair.lastIndex = 0;
  while (labelPair.lastIndex < text.length) {
    const [, name = "", value = ""] = labelPair.exec(text) ?? [];
    if (name === "") return undefined;
    labels.push([name, unescapeLabel(value)]);
  }
  return labels;
}

function parseSample(line: string): ExposedSample | undefined {
  const [, name, inner = "", value = ""] = sampleLine.exec(line) ?? [];
  const labels = parseLabels(inner);
  if (name === undefined || labels === undefined || !numberText.test(value)) {
    return undefined;
  }
  return { name, labels, value: Number(value.replace(/Inf$/i, "Infinity")) };
}

/**
 * Reads the text of one shim.
 *
 * @throws {ShimError} DataLoss for what is not in the format, or a number of no
 * metric.
 */
export function parseExposition(text: string): Family[] {
  const families = new Map<
    string,
    Family & { kind: string; help: string; readonly samples: ExposedSample[] }
  >();
  let last = "";
  for (const [index, line] of text.split("\n").entries()) {
    const [, keyword, name = "", rest = ""] = headLine.exec(line) ?? [];
    if (keyword !== undefined) {
      last = name;
      const family = families.get(name) ??
        { name, kind: "untyped", help: "", samples: [] };
      family[keyword === "TYPE" ? "kind" : "help"] = rest;
      families.set(name, family);
    } else if (line !== "" && !line.startsWith("#")) {
      const sample = parseSample(line);
      const family = families.get(last);
      const names = family === undefined ? [] : sampleNames(family.kind, last);
      if (sample === undefined || !names.includes(sample.name)) {
        throw new ShimError(
          "DataLoss",
          `Line ${index + 1} of its metrics is none: ${
            JSON.stringify(line.slice(0, 100))
          }`,
        );
      }
      family?.samples.push(sample);
    }
  }
  return [...families.values()];
}

/** A label of the shim's own gives way, as it does for Prometheus. */
function labelled(sample: ExposedSample, labels: Labels): ExposedSample {
  const taken = new Set(labels.map(([name]) => name));
  const own = sample.labels.map(([name, value]) =>
    [taken.has(name) ? `exported_${name}` : name, value] as const
  );
  return { ...sample, labels: [...labels, ...own] };
}

/**
 * The metrics of all shims: each once, with the numbers of all who have it. Shims
 * of other versions may mean another kind of metric by a name: the first shim
 * decides.
 *
 * @param conflict Told of a metric of a shim that is left out for that.
 */
export function mergeExpositions(
  all: readonly Exposition[],
  conflict: (labels: Labels, family: Family) => void,
): Family[] {
  const merged = new Map<string, Family & { samples: ExposedSample[] }>();
  for (const { labels, families } of all) {
    for (const family of families) {
      const there = merged.get(family.name) ?? { ...family, samples: [] };
      if (there.kind !== family.kind) {
        conflict(labels, family);
        continue;
      }
      there.samples.push(...family.samples.map((s) => labelled(s, labels)));
      merged.set(family.name, there);
    }
  }
  return [...merged.values()];
}

/** Metrics as text. */
export function formatExposition(families: readonly Family[]): string {
  return families.map(({ name, kind, help, samples }) =>
    `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n` +
    samples.map(({ name, labels, value }) =>
      `${sampleText(name, labels, value)}\n`
    ).join("")
  ).join("");
}
