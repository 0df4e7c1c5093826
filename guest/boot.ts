/**
 * What the agent does once, before the first call
 * (`spec/guest-runtime.md` 12.3 and 16.2).
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { readFile, writeValue } from "./cgroup/files.ts";
import type { CgroupLayout } from "./cgroup/layout.ts";
import type { CgroupTree } from "./cgroup/tree.ts";

/** What the control groups are set up with. */
export interface BootOptions {
  /** How they are mounted. */
  readonly layout: CgroupLayout;
  /** The tree. */
  readonly cgroups: CgroupTree;
  /** Bytes of memory that are kept from all pods together. */
  readonly reserve: bigint;
  /** Where what is missing is told. */
  readonly log: Logger;
}

/** The group of all pods. */
export const podsGroup = "/pods";
/** The group of the agent itself. */
export const agentGroup = "/gcs";

const maxInt64 = 2n ** 63n - 1n;

/**
 * How much memory all pods together may use.
 *
 * @param meminfo Text of `/proc/meminfo`.
 * @param reserve Bytes that are kept from them.
 * @throws {ShimError} When nothing is left.
 */
export function podMemory(meminfo: string, reserve: bigint): bigint {
  const [, kib] = meminfo.match(/^MemTotal:\s+(\d+) kB$/m) ?? [];
  const total = BigInt(kib ?? 0) * 1024n;
  if (total <= reserve) {
    throw new ShimError(
      "ResourceExhausted",
      `The memory of the VM (${total} bytes) must be greater than the ` +
        `reserve (${reserve} bytes)`,
    );
  }
  const limit = total - reserve;
  if (limit <= maxInt64) return limit;
  throw new ShimError("OutOfRange", `Limit ${limit} exceeds maximum`);
}

/** What {@linkcode PodMemoryLimit.refresh} has found and done. */
export interface RefreshedLimit {
  /** Bytes that all pods together may use. */
  readonly limit: bigint;
  /** Whether it was set now; else it was set before. */
  readonly isChanged: boolean;
}

/** Keeps the limit of all pods at the memory that the VM has now. */
export class PodMemoryLimit {
  readonly #options: Pick<BootOptions, "cgroups" | "reserve">;
  readonly #meminfo: () => Promise<string>;
  #applied: bigint | undefined;

  /**
   * @param options Control groups and reserve.
   * @param meminfo Reads the memory of the VM.
   */
  constructor(
    options: Pick<BootOptions, "cgroups" | "reserve">,
    meminfo = () => Deno.readTextFile("/proc/meminfo"),
  ) {
    this.#options = options;
    this.#meminfo = meminfo;
  }

  /** Sets the limit, when it is not the one that was set last. */
  async refresh(): Promise<RefreshedLimit> {
    const limit = podMemory(await this.#meminfo(), this.#options.reserve);
    if (limit === this.#applied) return { limit, isChanged: false };
    await this.#options.cgroups.limitMemory(podsGroup, limit);
    this.#applied = limit;
    return { limit, isChanged: true };
  }
}

/**
 * Makes the groups of all pods and of the agent itself. A VM without control
 * groups runs containers without limits.
 *
 * @returns The limit of all pods, which the host may refresh.
 */
export async function bootCgroups(
  options: BootOptions,
): Promise<PodMemoryLimit> {
  const { layout, cgroups, log } = options;
  const limit = new PodMemoryLimit(options);
  const attempt = async (
    what: string,
    task: () => Promise<unknown>,
  ): Promise<void> => {
    try {
      await task();
    } catch (error) {
      log.warn(`Cannot ${what}`, { error: messageOf(error) });
    }
  };
  if (layout.version === 1 && layout.controllers.size === 0) {
    log.warn("No control groups are mounted: containers have no limits");
    return limit;
  }
  await attempt("count memory per hierarchy", () => useHierarchy(layout));
  await attempt(
    "make the group of all pods",
    () => cgroups.create(podsGroup, {}),
  );
  await attempt("limit the memory of all pods", () => limit.refresh());
  await attempt("make the agent's group", () => cgroups.create(agentGroup, {}));
  await attempt(
    "join the agent's group",
    () => cgroups.join(agentGroup, Deno.pid),
  );
  return limit;
}

/** v1 counts the memory of groups below a group only when told so. */
async function useHierarchy(layout: CgroupLayout): Promise<void> {
  const memory = layout.controllers.get("memory");
  if (layout.version !== 1 || memory === undefined) return;
  const file = `${memory}/memory.use_hierarchy`;
  if ((await readFile(file))?.trim() === "1") return;
  await writeValue(file, "1");
}
