/**
 * The checks of `doctor`: a table of looks at the machine, taken one after
 * another.
 *
 * @module
 */

import { type Clock, deadline } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Finding } from "./ports.ts";

/** What a look found. It is fine, and needs no advice, unless it says otherwise. */
export type Verdict =
  & Pick<Finding, "found">
  & Partial<Pick<Finding, "state" | "advice">>;

/** One row of the table. */
export interface Check {
  /** What is looked at, for example `Windows build`. */
  readonly name: string;
  /** What to do when it is not fine, unless the verdict knows better. */
  readonly advice: string;
  /** What a look that fails counts as; default is a gap. */
  readonly failure?: "gap" | "warning";
  /** Looks. What it throws is what is found. */
  readonly look: () => Verdict | Promise<Verdict>;
}

/** How {@linkcode runChecks} is bounded. */
export interface CheckBounds {
  /** Source of time. */
  readonly clock: Clock;
  /** Milliseconds that one look may take. */
  readonly limit: number;
}

/**
 * Takes the looks of a table, in its order. Never rejects: a look that fails, or
 * takes too long, is a finding.
 *
 * @example A look that fails
 * ```ts
 * import { systemClock } from "../base/clock.ts";
 * import { runChecks } from "./checks.ts";
 * const look = () => {
 *   throw new Error("it is not there");
 * };
 * const table = [{ name: "kernel", advice: "Install one", look }];
 * const bounds = { clock: systemClock, limit: 1000 };
 * const [finding] = await Array.fromAsync(runChecks(table, bounds));
 * console.assert(finding?.state === "gap" && finding.advice === "Install one");
 * ```
 */
export async function* runChecks(
  checks: readonly Check[],
  bounds: CheckBounds,
): AsyncGenerator<Finding, void> {
  for (const check of checks) yield await runCheck(check, bounds);
}

async function runCheck(
  { name, advice, failure = "gap", look }: Check,
  { clock, limit }: CheckBounds,
): Promise<Finding> {
  const verdict = await deadline(
    clock,
    limit,
    "it",
    async () => await look(),
  ).catch((error): Verdict => ({ state: failure, found: messageOf(error) }));
  const { state = "ok", found } = verdict;
  return {
    check: name,
    state,
    found,
    advice: state === "ok" ? "" : verdict.advice ?? advice,
  };
}
