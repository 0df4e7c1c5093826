/**
 * Which Windows this is, and whether it is new enough.
 *
 * @module
 */

import type { Verdict } from "../../../hcs/checks.ts";

/** First build with the compute service that the shim is written for, Server 2019. */
const oldest = 17_763;

/** First build that boots a Linux kernel without firmware. */
const kernelDirect = 18_286;

/** First build with virtual NUMA nodes, Server 2025. */
const virtualNuma = 26_100;

/** What to do without the parts of Windows that run virtual machines. */
export const enableHyperV =
  "Enable the Windows features Hyper-V and Containers, then restart the machine";

/** Judges a build number. */
export function judgeBuild(build: number): Verdict {
  if (build < oldest) return { state: "gap", found: `${build}` };
  if (build < kernelDirect) {
    return {
      state: "warning",
      found: `${build} boots a Linux kernel through UEFI only`,
      advice:
        `Boot a file called kernel, or install build ${kernelDirect} or newer`,
    };
  }
  if (build < virtualNuma) {
    return { found: `${build}, without virtual NUMA nodes` };
  }
  return { found: `${build}` };
}

/** Judges an architecture in OCI's words. */
export function judgeArchitecture(arch: string): Verdict {
  if (arch === "amd64") return { found: arch };
  if (arch !== "arm64") return { state: "gap", found: arch };
  return { state: "warning", found: `${arch}, on which nobody has tried it` };
}
