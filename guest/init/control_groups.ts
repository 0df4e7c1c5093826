/**
 * Mounting the control groups: one unified tree, or a hierarchy per controller
 * (`spec/guest-runtime.md` 17.1 step 5).
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import {
  cgroupRoot,
  hierarchySteps,
  type StepPorts,
  takeSteps,
  unifiedSteps,
} from "./steps.ts";

/** What the control groups are mounted with; tests replace it. */
export interface CgroupPorts extends StepPorts {
  /** umount(2). */
  readonly unmount: (target: string) => Promise<unknown>;
  /** Text of a file. */
  readonly readText: (path: string) => Promise<string>;
  /** Writes a file in one call. */
  readonly writeText: (path: string, text: string) => Promise<void>;
  /** Whether programs can judge devices in the unified tree. */
  readonly canJudgeDevices: (group: string) => boolean;
  /** What could not be done. */
  readonly log: Logger;
}

/** The word of the kernel command line that asks for version 1. */
const versionOne = "hcsshim.cgroup=v1";

/** Enabled controllers of `/proc/cgroups`: name, hierarchy, groups, enabled. */
export function enabledControllers(text: string): string[] {
  return text.split("\n").filter((line) => !line.startsWith("#"))
    .map((line) => line.split(/\s+/))
    .filter(([, , , enabled]) => enabled === "1")
    .map(([name]) => name!);
}

/** @returns False when this kernel's unified tree is of no use. */
async function mountUnified(ports: CgroupPorts): Promise<boolean> {
  const { log } = ports;
  try {
    await takeSteps(unifiedSteps, ports);
  } catch (error) {
    log.warn("No unified control groups", { error: messageOf(error) });
    return false;
  }
  try {
    const names = await ports.readText(`${cgroupRoot}/cgroup.controllers`);
    if (ports.canJudgeDevices(cgroupRoot)) {
      await enableAll(names.trim().split(/\s+/), ports);
      return true;
    }
    log.warn("Unified control groups cannot judge devices");
  } catch (error) {
    log.warn("Unified control groups fail", { error: messageOf(error) });
  }
  await ports.unmount(cgroupRoot);
  return false;
}

/** Hands all controllers down, in one write as the kernel wants it. */
async function enableAll(
  names: readonly string[],
  ports: CgroupPorts,
): Promise<void> {
  const text = names.filter((name) => name !== "")
    .map((name) => `+${name}`).join(" ");
  try {
    await ports.writeText(`${cgroupRoot}/cgroup.subtree_control`, text);
  } catch (error) {
    ports.log.warn("Cannot enable all controllers", {
      controllers: text,
      error: messageOf(error),
    });
  }
}

/**
 * Mounts the control groups.
 *
 * @param commandLine The kernel's; its word `hcsshim.cgroup=v1` asks for
 * version 1.
 * @returns The version.
 * @throws {ShimError} FailedPrecondition when the kernel has none.
 */
export async function mountControlGroups(
  commandLine: string,
  ports: CgroupPorts,
): Promise<1 | 2> {
  const wantsOne = commandLine.split(/\s+/).includes(versionOne);
  if (!wantsOne && await mountUnified(ports)) return 2;
  const names = enabledControllers(await ports.readText("/proc/cgroups"));
  if (names.length === 0) {
    throw new ShimError(
      "FailedPrecondition",
      "The kernel has no controllers for control groups",
    );
  }
  await takeSteps(hierarchySteps(names), ports);
  return 1;
}
