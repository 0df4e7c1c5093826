/**
 * How a container ends, and how it is cleared away.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { killInit } from "./faults.ts";
import { VmLost, WrongOutcome } from "./judge.ts";
import type { Target } from "./target.ts";

/** One way to end the init process. */
interface Ending {
  readonly weight: number;
  /** What its exit code is. */
  readonly code: number;
  end(target: Target): Promise<void>;
}

/** Through the shim, or from outside. */
export const endings: readonly Ending[] = [
  {
    weight: 3,
    code: 5,
    end: async (target) => {
      await target.call("Kill", { id: target.name, signal: 15 });
    },
  },
  {
    weight: 3,
    code: 137,
    end: async (target) => {
      await target.call("Kill", { id: target.name, signal: 9, all: true });
    },
  },
  { weight: 3, code: 137, end: killInit },
];

/** How long containerd has to notice that a shim is gone, and to clean up. */
const cleanUpLimit = 30_000;

/** Deletes a container and its task as clients do; from containerd's record too. */
async function forceDelete(target: Target): Promise<void> {
  const { world, name: id } = target;
  await world.ctr(target, "ctr task delete", ["ok"], [
    "task",
    "delete",
    "--force",
    id,
  ]);
  await world.ctr(target, "ctr container delete", ["ok"], [
    "container",
    "delete",
    id,
  ]);
}

/** Deletes what containerd clears away by itself, at some time. */
async function deleteAfterShim(target: Target): Promise<void> {
  const { world, name: id } = target;
  const end = performance.now() + cleanUpLimit;
  for (;;) {
    await world.containerd.run(["task", "delete", "--force", id]);
    const { code, stderr } = await world.containerd.run([
      "container",
      "delete",
      id,
    ]);
    if (code === 0 || stderr.includes("not found")) return;
    if (performance.now() > end) {
      throw new WrongOutcome(
        `${id}: its shim was killed, and it cannot be deleted: ${stderr}`,
      );
    }
    await systemClock.sleep(100);
  }
}

/** Clears away a container that `ctr` made, whatever happened to it. */
export async function clearAway(target: Target): Promise<void> {
  await target.world.gate.among(async () => {
    if (target.group.loss !== "shim") {
      try {
        return await forceDelete(target);
      } catch (error) {
        // The shim may be killed meanwhile.
        if (!(error instanceof VmLost)) throw error;
      }
    }
    await deleteAfterShim(target);
  });
}
