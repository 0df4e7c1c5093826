/**
 * Traces for tests of the table of deviations.
 *
 * @module
 */

import { assert } from "@std/assert";
import type { Json, JsonObject } from "../../base/json.ts";
import type { Deviation, Judged } from "./deviation.ts";

/** A call: its method, its task, what it did, and what else its client sent. */
export type TestCall = readonly [
  method: string,
  id: string,
  did: JsonObject,
  request?: JsonObject,
];

/** Something that happens between calls. */
export type TestEvent = JsonObject & { readonly log: string };

/** The specification of a task, from there on. */
export function specOf(id: string, value: JsonObject): TestEvent {
  return { log: "input", name: `config.json of ${id}`, value };
}

/** The specification of a container of a pod. */
export function podSpec(id: string, pod: string): TestEvent {
  const annotations = { "io.kubernetes.cri.sandbox-id": pod };
  return specOf(id, { ociVersion: "1.1.0", annotations });
}

/**
 * A trace as rows of the table see it.
 *
 * @param steps Calls, numbered from 0, and what happens between them.
 * @param events Events by container.
 */
export function judgedTrace(
  steps: readonly (TestCall | TestEvent)[],
  events: JsonObject = {},
): Judged {
  const input: Json[] = [];
  const calls: JsonObject[] = [];
  for (const step of steps) {
    if ("log" in step) {
      input.push(step);
      continue;
    }
    const [method, id, did, more] = step;
    const seq = calls.length;
    const request = { id, bundle: `C:\\bundles\\${id}`, ...more };
    input.push({ log: "ttrpc", kind: "call", seq, method, request });
    calls.push({ seq, method, ...did });
  }
  return {
    input: { events: input },
    output: { calls, events },
    defects: [],
  };
}

/** What a row makes of a trace: its calls and events; undefined where it says nothing. */
export function expectedBy(
  rows: readonly Deviation[],
  ours: string,
  trace: Judged,
): { calls: JsonObject[]; events: Record<string, JsonObject[]> } | undefined {
  const row = rows.find((row) => row.ours.includes(ours));
  assert(row?.expected, ours);
  return row.expected(trace) as ReturnType<typeof expectedBy>;
}

/** A call that succeeded. */
export const done: JsonObject = { reply: { response: {} } };

/** A call that failed. */
export function failed(error: string, code = "Unknown"): JsonObject {
  return { reply: { code, error } };
}
