/**
 * `lcow metrics`: what the shims of a host have counted, as one Prometheus text.
 *
 * @module
 */

import { classify, messageOf, ShimError } from "../../base/errors.ts";
import { Metrics, type MetricTable } from "../../base/metrics.ts";
import { Operator } from "../../ttrpc/api/operator.gen.ts";
import {
  type ExposedSample,
  type Exposition,
  type Family,
  formatExposition,
  type Labels,
  mergeExpositions,
  parseExposition,
} from "./exposition.ts";
import { complaint } from "./printable.ts";
import { brokenText, nameOf, type ShimReport } from "./report.ts";
import { findShimOf, findShims, within, withShim } from "./shims.ts";
import { type LcowContext, namespaceOf, type Word } from "./word.ts";

/** Labels that tell shims apart: containerd's namespace, and the id of the group. */
export const shimLabels = ["namespace", "sandbox"] as const;

/** What `lcow` itself counts; `docs/metrics.md` is made of it, too. */
export const hostMetrics = {
  up: {
    kind: "gauge",
    name: "lcow_shim_up",
    help: "1 for a shim that told its metrics, 0 for one that did not",
    labels: shimLabels,
  },
} as const satisfies MetricTable;

/** One shim and what it told, or why it did not. */
interface Told {
  readonly shim: ShimReport;
  readonly families?: readonly Family[];
  readonly problem?: string;
}

/**
 * Asks one shim for its metrics.
 *
 * @returns Prometheus text.
 * @throws {ShimError} NotImplemented when it is too old; else why it has not
 * answered.
 */
export async function metricsTextOf(
  { address }: ShimReport,
  context: LcowContext,
  signal: AbortSignal,
): Promise<string> {
  try {
    const { text } = await withShim(
      address,
      context,
      signal,
      (client, options) => client.call(Operator, "Metrics", {}, options),
    );
    return text;
  } catch (cause) {
    if (classify(cause) !== "NotImplemented") throw cause;
    const message = "It is too old to tell its metrics";
    throw new ShimError("NotImplemented", message, { cause });
  }
}

async function ask(
  shim: ShimReport,
  context: LcowContext,
  signal: AbortSignal,
): Promise<Told> {
  const text = await metricsTextOf(shim, context, signal);
  return { shim, families: parseExposition(text) };
}

/** As above, but a shim that does not tell spoils nothing. */
async function tryToAsk(
  shim: ShimReport,
  context: LcowContext,
  signal: AbortSignal,
): Promise<Told> {
  if (shim.state !== "serving") return { shim, problem: brokenText(shim) };
  try {
    return await ask(shim, context, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { shim, problem: messageOf(error) };
  }
}

/** Values of {@linkcode shimLabels}; a shim whose name nobody knows has its address. */
function valuesOf(
  { namespace = "", key, address }: ShimReport,
): readonly [string, string] {
  return [namespace, key ?? address];
}

function labelsOf(shim: ShimReport): Labels {
  const values = valuesOf(shim);
  return shimLabels.map((name, at) => [name, values[at]!]);
}

/** All as one text. */
function textOf(
  told: readonly Told[],
  conflict: (labels: Labels, family: Family) => void,
): string {
  const up = new Metrics(hostMetrics).text({
    up: told.map(({ shim, families }) => [
      valuesOf(shim),
      families === undefined ? 0 : 1,
    ]),
  });
  const all = told.flatMap(({ shim, families }): Exposition[] =>
    families === undefined ? [] : [{ labels: labelsOf(shim), families }]
  );
  return up + formatExposition(mergeExpositions(all, conflict));
}

/** A sample as JSON has it. */
function sampleJson({ name, labels, value }: ExposedSample): object {
  return {
    name,
    labels: Object.fromEntries(labels),
    value: Number.isFinite(value) ? value : String(value),
  };
}

function toldJson({ shim, families, problem }: Told): object {
  const { address, namespace, key } = shim;
  return {
    address,
    ...(namespace === undefined ? {} : { namespace }),
    ...(key === undefined ? {} : { key }),
    ...(families === undefined ? { problem } : {
      samples: families.flatMap(({ samples }) => samples.map(sampleJson)),
    }),
  };
}

/** See the module. */
export const metrics: Word = {
  name: "metrics",
  summary: "print what shims have counted, as Prometheus text",
  operands: [{
    name: "ID",
    summary: "a sandbox, pod or container; all shims without it",
    optional: true,
  }],
  flags: [],
  async run(invocation, context, signal) {
    const [id] = invocation.operands;
    const namespace = namespaceOf(invocation);
    const told: Told[] = [];
    if (id === undefined) {
      const all = await findShims(context, signal, { namespace });
      const asked = within(namespace, all).map((shim) =>
        tryToAsk(shim, context, signal)
      );
      told.push(...await Promise.all(asked));
    } else {
      const shim = await findShimOf(id, namespace, context, signal);
      told.push(await ask(shim, context, signal));
    }
    if (invocation.switches.has("json")) {
      return { json: { shims: told.map(toldJson) } };
    }
    const complaints = told.flatMap(({ shim, problem }) =>
      problem === undefined ? [] : [`No metrics of ${nameOf(shim)}: ${problem}`]
    );
    const text = textOf(told, (labels, { name, kind }) => {
      const shim = labels.map(([, value]) => value).join("/");
      complaints.push(`${name} of ${shim} is left out: it is a ${kind} there`);
    });
    const lines = complaints.map(complaint).join("");
    if (lines !== "") await context.complain(new TextEncoder().encode(lines));
    return { text };
  },
};
