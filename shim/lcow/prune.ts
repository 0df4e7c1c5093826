/**
 * `lcow prune`: removes what crashed shims left on this host.
 *
 * @module
 */

import { deadline } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { ComputeSystemSummary } from "../../hcs/ports.ts";
import { sandboxOfVm, vmSystemId } from "../../hcs/system_id.ts";
import { shimName } from "../args.ts";
import { endSystem, openSystem } from "../delete.ts";
import { UsageError } from "./parser.ts";
import { nameOf, type ShimReport } from "./report.ts";
import { findShims } from "./shims.ts";
import { type LcowContext, namespaceOf, type Word } from "./word.ts";

/** What became of a thing that may be left. */
type Outcome = "removed" | "found" | "in use" | "left alone" | "failed";

/** One thing that may be left. */
interface PruneRow {
  /** What it is. */
  readonly kind: "endpoint" | "vm" | "compute system";
  /** Address or id. */
  readonly name: string;
  /** What belongs to it; may be empty. */
  readonly detail: string;
  /** `found` with `--dry-run`; `in use` when somebody took it meanwhile. */
  readonly outcome: Outcome;
  /** Why it was left alone, or why the removal failed. */
  readonly problem?: string;
}

/** One thing that can be removed. */
interface Candidate extends Omit<PruneRow, "outcome" | "problem"> {
  /** Why it is not to be removed. */
  readonly doubt?: string | undefined;
  /** @returns False when it is in use. */
  remove(): Promise<boolean>;
}

/**
 * Why a compute system may still belong to somebody.
 *
 * @param reports The shims, asked after the system was listed: a shim serves its
 * endpoint before it has a VM, and until it has none.
 * @returns `claimed` when it certainly does; undefined when certainly not.
 */
export function doubtAbout(
  systemId: string,
  reports: readonly ShimReport[],
): "claimed" | { readonly doubt: string } | undefined {
  const alive = reports.filter(({ state }) =>
    state === "serving" || state === "silent"
  );
  const claims = ({ key, sandboxes = [] }: ShimReport): boolean =>
    (key !== undefined && vmSystemId(key) === systemId) ||
    sandboxes.some((sandbox) => sandbox.systemId === systemId);
  if (alive.some(claims)) return "claimed";
  const unknown = alive.find(({ key, sandboxes }) =>
    key === undefined && sandboxes === undefined
  );
  return unknown && {
    doubt: `it may belong to ${nameOf(unknown)}, which does not tell`,
  };
}

/** Ends a system unless another one has its id by now. */
async function removeSystem(
  { Id, RuntimeId }: ComputeSystemSummary,
  { compute, clock, timeouts }: LcowContext,
  signal: AbortSignal,
): Promise<boolean> {
  const system = await openSystem(await compute(), Id);
  // It ended by itself.
  if (system === undefined) return true;
  if (system.runtimeId.toLowerCase() !== RuntimeId.toLowerCase()) {
    await system.close();
    return false;
  }
  await deadline(
    clock,
    timeouts.vmTerminate,
    `The end of compute system "${Id}"`,
    (bounded) => endSystem(system, bounded),
    signal,
  );
  return true;
}

/** The compute systems of this program that no shim claims. */
async function orphanedSystems(
  context: LcowContext,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const compute = await context.compute();
  // First the systems, then the shims: see `doubtAbout`.
  const systems = (await compute.enumerate({ Owners: [shimName] }))
    .filter(({ Owner }) => Owner === shimName);
  if (systems.length === 0) return [];
  const ids = systems.map(({ Id }) => sandboxOfVm(Id));
  const reports = await findShims(context, signal, { ids });
  return systems.flatMap((system): Candidate[] => {
    const doubt = doubtAbout(system.Id, reports);
    if (doubt === "claimed") return [];
    return [{
      kind: "compute system",
      name: system.Id,
      detail: `runtime id ${system.RuntimeId}`,
      doubt: doubt?.doubt,
      remove: () => removeSystem(system, context, signal),
    }];
  });
}

async function settle(
  { remove, doubt, kind, name, detail }: Candidate,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<PruneRow> {
  const about = { kind, name, detail };
  if (doubt !== undefined) {
    return { ...about, outcome: "left alone", problem: doubt };
  }
  if (dryRun) return { ...about, outcome: "found" };
  try {
    return { ...about, outcome: await remove() ? "removed" : "in use" };
  } catch (error) {
    signal.throwIfAborted();
    return { ...about, outcome: "failed", problem: messageOf(error) };
  }
}

function rowText({ kind, name, detail, outcome, problem }: PruneRow): string {
  const more = detail === "" ? "" : ` (${detail})`;
  const why = problem === undefined ? "" : `: ${problem}`;
  return `${outcome}: ${kind} ${name}${more}${why}\n`;
}

/** See the module. */
export const prune: Word = {
  name: "prune",
  summary: "remove what crashed shims left on this host",
  operands: [],
  flags: [{ name: "dry-run", summary: "only list it" }],
  async run(invocation, context, signal) {
    if (namespaceOf(invocation) !== undefined) {
      throw new UsageError(
        "prune takes no --namespace: what crashed shims left does not tell its own",
      );
    }
    const dryRun = invocation.switches.has("dry-run");
    const candidates: Candidate[] = [
      ...await orphanedSystems(context, signal),
      ...await context.platform.leftovers(),
    ];
    const rows: PruneRow[] = [];
    for (const candidate of candidates) {
      signal.throwIfAborted();
      rows.push(await settle(candidate, dryRun, signal));
    }
    return {
      json: { dryRun, leftovers: rows },
      text: rows.length === 0
        ? "Nothing is left of crashed shims.\n"
        : rows.map(rowText).join(""),
      code: rows.some(({ outcome }) => outcome === "failed") ? 1 : 0,
    };
  },
};
