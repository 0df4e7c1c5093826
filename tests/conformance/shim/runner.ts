/**
 * Runs the cases with the shims under test.
 *
 * @module
 */

import { deadline, systemClock } from "../../../base/clock.ts";
import { messageOf } from "../../../base/errors.ts";
import { type Case, type CaseGroup, Scene } from "./case.ts";
import { type Ability, missing, type Target } from "./target.ts";
import { World, type WorldParts } from "./world.ts";

/** How a case went with a shim. */
export interface Outcome {
  readonly verdict: "pass" | "fail" | "differs" | "n/a";
  /** Why, unless it passed. */
  readonly why: string;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** Milliseconds that a case may take, on a busy machine: most need less than one second. */
const caseLimit = 180_000;

/** Cases that run at a time: most of them wait for processes. */
const lanes = 4;

/** Name of the case that looks for what all others left. */
export const cleanCase = "no process, mount, group or file of a shim is left";

/** Why a case is none of this shim's business; undefined when it is. */
export function notApplicable(
  { needs = {} }: Case,
  { has }: Target,
): string | undefined {
  for (const [ability, wanted] of Object.entries(needs)) {
    const name = ability as Ability;
    if (has[name] === wanted) continue;
    return has[name] ? missing[name].has : missing[name].lacks;
  }
  return undefined;
}

/** The verdict on a failure. */
export function judgeFailure(
  target: Target,
  name: string,
  error: unknown,
): Pick<Outcome, "verdict" | "why"> {
  const known = target.differs[name];
  return known === undefined
    ? { verdict: "fail", why: messageOf(error).replaceAll(/\s*\n\s*/g, " ") }
    : { verdict: "differs", why: known };
}

async function timed(
  target: Target,
  name: string,
  task: () => Promise<void>,
): Promise<Outcome> {
  const since = performance.now();
  const ms = (): number => performance.now() - since;
  try {
    await task();
    return { verdict: "pass", why: "", ms: ms() };
  } catch (error) {
    return { ...judgeFailure(target, name, error), ms: ms() };
  }
}

async function runCase({ name, run }: Case, world: World): Promise<Outcome> {
  return await timed(world.target, name, async () => {
    const scenes: Scene[] = [];
    const close = async (): Promise<void> => {
      for (const scene of scenes) await scene.close();
    };
    try {
      await deadline(systemClock, caseLimit, "The case", (signal) => {
        const scene = new Scene(world, signal);
        scenes.push(scene);
        return run(scene);
      });
    } catch (error) {
      // The first failure is what counts.
      await close().catch(() => {});
      throw error;
    }
    await close();
  });
}

/**
 * Runs the cases of all groups with one shim.
 *
 * @param wanted Which cases run.
 * @returns The outcomes by name, in the order of the cases.
 */
export async function runTarget(
  parts: WorldParts,
  groups: readonly CaseGroup[],
  wanted: (name: string) => boolean,
): Promise<Map<string, Outcome>> {
  const cases = groups.flatMap((group) => group.cases)
    .filter(({ name }) => wanted(name));
  const outcomes = new Map<string, Outcome>();
  for (const { name } of cases) {
    outcomes.set(name, { verdict: "fail", why: "it was not run", ms: 0 });
  }
  const world = await World.create(parts);
  const queue = cases.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const next of queue) {
        const why = notApplicable(next, parts.target);
        outcomes.set(
          next.name,
          why === undefined
            ? await runCase(next, world)
            : { verdict: "n/a", why, ms: 0 },
        );
      }
    }),
  );
  outcomes.set(
    cleanCase,
    await timed(parts.target, cleanCase, () => world.close()),
  );
  return outcomes;
}
