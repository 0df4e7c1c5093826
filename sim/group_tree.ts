/**
 * A tree of control groups in one hierarchy: who is in it, and its removal.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";
import { isErrno } from "../ffi/linux/errno.ts";

/** The last process may still be leaving when a group is to go. */
const idleWithin = 5_000;

/** Version 1 has no event for "idle". */
const idlePoll = 5;

/** Kills a process that may have ended. */
export function killIfThere(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Sub-groups of a group; none when it is gone. */
async function subgroups(directory: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(directory)) {
      if (isDirectory) found.push(`${directory}/${name}`);
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  return found;
}

/** True when a group went away, also between open and read (ENODEV). */
export function isGone(error: unknown): boolean {
  return isErrno(error, "ENOENT", "ENODEV");
}

/** True for a group with processes or groups in it (EBUSY). */
function isBusy(error: unknown): boolean {
  return isErrno(error, "EBUSY");
}

/** Processes of a group and all groups below. */
export async function processesOf(directory: string): Promise<number[]> {
  let own = "";
  try {
    own = await Deno.readTextFile(`${directory}/cgroup.procs`);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  const pids = own.split("\n").filter((line) => line !== "").map(Number);
  for (const child of await subgroups(directory)) {
    pids.push(...await processesOf(child));
  }
  return pids;
}

/** Removes one group. @returns False while it is in use. */
export async function removeGroup(directory: string): Promise<boolean> {
  try {
    await Deno.remove(directory);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    if (isBusy(error)) return false;
    throw error;
  }
}

/** Removes a group and those below; the last process may still be leaving. */
export async function removeTree(
  directory: string,
  clock: Clock,
): Promise<void> {
  for (const child of await subgroups(directory)) {
    await removeTree(child, clock);
  }
  for (let waited = 0; !await removeGroup(directory); waited += idlePoll) {
    if (waited >= idleWithin) {
      throw new ShimError(
        "DeadlineExceeded",
        `Cannot remove control group ${directory}: it stays in use`,
      );
    }
    await clock.sleep(idlePoll);
  }
}
