/**
 * The choice between crun and runc.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { CgroupLayout } from "../cgroup/layout.ts";
import type { Reaper } from "../../ffi/linux/reaper.ts";
import { CliRuntime } from "./cli.ts";
import type { OciRuntime } from "./runtime.ts";

/** What the choice needs to know of the machine. */
export interface RuntimeProbe {
  /** How the cgroups are mounted. */
  readonly layout: CgroupLayout;
  /** The effective capabilities of the agent, as a bit set. */
  readonly capabilities: bigint;
}

const capSysResource = 1n << 24n;

/**
 * Why crun cannot work here, or undefined. Measured with crun 1.8: with cgroup
 * v2 it raises RLIMIT_MEMLOCK for its device filter, and it refuses machines
 * that have v1 and v2 controllers at once.
 */
export function crunRefusal(probe: RuntimeProbe): string | undefined {
  const { layout, capabilities } = probe;
  if (layout.version === 2 && (capabilities & capSysResource) === 0n) {
    return "CAP_SYS_RESOURCE is missing";
  }
  if (layout.hybrid) return "controllers of cgroup v1 and v2 are mixed";
  return undefined;
}

/** The effective capabilities of this process. */
async function effectiveCapabilities(): Promise<bigint> {
  const status = await Deno.readTextFile("/proc/self/status");
  const [, digits] = status.match(/^CapEff:\s*([0-9a-f]+)$/m) ?? [];
  return digits === undefined ? 0n : BigInt(`0x${digits}`);
}

/**
 * Path of a program on PATH, or undefined.
 *
 * @param name Its name, or a path, which is taken as it is.
 * @param path The value of PATH.
 */
export async function findProgram(
  name: string,
  path: string,
): Promise<string | undefined> {
  if (name.includes("/")) return name;
  for (const dir of path.split(":")) {
    if (dir === "") continue;
    try {
      const { isFile, mode } = await Deno.stat(`${dir}/${name}`);
      if (isFile && ((mode ?? 0) & 0o111) !== 0) return `${dir}/${name}`;
    } catch (error) {
      const missing = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.NotADirectory ||
        error instanceof Deno.errors.PermissionDenied;
      if (!missing) throw error;
    }
  }
  return undefined;
}

/** What {@linkcode detectRuntime} needs. */
export interface DetectOptions {
  /** Environment of the runtime; PATH is searched for it. */
  readonly env: Readonly<Record<string, string>>;
  /** How the cgroups are mounted. */
  readonly layout: CgroupLayout;
  /** Waits for the runtime. */
  readonly reaper: Reaper;
  /** Reports the choice. */
  readonly log: Logger;
}

/**
 * Finds the runtime: crun, or runc where crun is missing or cannot work.
 *
 * @throws {ShimError} FailedPrecondition when there is none.
 */
export async function detectRuntime(
  options: DetectOptions,
): Promise<OciRuntime> {
  const { env, layout, reaper, log } = options;
  const capabilities = await effectiveCapabilities();
  const refusal = crunRefusal({ layout, capabilities });
  const search = env.PATH ?? "/sbin:/usr/sbin:/bin:/usr/bin";
  const crun = refusal === undefined
    ? await findProgram("crun", search)
    : undefined;
  const path = crun ?? await findProgram("runc", search);
  if (path === undefined) {
    const reason = refusal === undefined ? "" : ` (crun: ${refusal})`;
    throw new ShimError(
      "FailedPrecondition",
      `Cannot run containers: neither crun nor runc is on PATH "${search}"` +
        reason,
    );
  }
  log.debug("Runtime chosen", { path, refusal });
  return new CliRuntime({ path, reaper, env });
}
