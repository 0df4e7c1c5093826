/**
 * Traces whose calls cannot be played yet, and what that waits for.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import { objectsOf, textOf } from "./json.ts";
import { strangeCalls } from "./shim_trace.ts";

/** Behind a defect of the peer its recorded answers follow from a wrong state. */
const afterDefect = "no rule yet for what follows from the peer's defect";

/** Scenarios for which a rule is missing. */
const scenarios: Readonly<Record<string, string>> = {
  "bad-container-requests": afterDefect,
  "concurrent-creates": "no comparison yet for calls that interleave freely",
  "create-fails-in-guest": afterDefect,
  "guest-dies": afterDefect,
  "modify-fails": afterDefect,
  "second-pod": afterDefect,
};

/** True when something is asked of host or guest between a call and its reply. */
function asks(trace: JsonObject, call: JsonObject): boolean {
  const events = objectsOf(trace.events);
  const isHere = (kind: string) => (event: JsonObject): boolean =>
    event.log === "ttrpc" && event.kind === kind && event.seq === call.seq;
  const during = events.slice(
    events.findIndex(isHere("call")),
    events.findIndex(isHere("reply")),
  );
  return during.some(({ dir, fn }) =>
    dir === "host->guest" || fn === "HcsModifyComputeSystem"
  );
}

/**
 * Why a trace cannot be played yet.
 *
 * @param scenario Its scenario.
 * @param trace The trace.
 * @returns Undefined when it can.
 */
export function laterTrace(
  scenario: string,
  trace: JsonObject,
): string | undefined {
  const hasCalls = objectsOf(trace.events).some(({ log }) => log === "ttrpc");
  if (!hasCalls) return "it has command lines of the binary only";
  const hasEffect = strangeCalls(trace).some((call) => asks(trace, call));
  return hasEffect
    ? "it calls ShimDiag, which is not played, for what it asks of the VM"
    : scenarios[scenario];
}

/**
 * The calls of a trace that are left out when it is played.
 *
 * @returns Undefined when there are none.
 */
export function leftOut(trace: JsonObject): string | undefined {
  const names = strangeCalls(trace).map(({ service, method }) =>
    `${textOf(service)}/${textOf(method)}`
  );
  return names.length > 0 ? [...new Set(names)].join(", ") : undefined;
}
