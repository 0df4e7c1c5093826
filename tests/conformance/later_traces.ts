/**
 * Traces whose calls cannot be played yet, and what that waits for.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import { objectsOf } from "./json.ts";

/** Behind a defect of the peer its recorded answers follow from a wrong state. */
const afterDefect = "no rule yet for what follows from the peer's defect";

/** Scenarios for which a rule is missing. */
const scenarios: Readonly<Record<string, string>> = {};

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
  return scenarios[scenario];
}
