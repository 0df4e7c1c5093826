/**
 * Control groups, version 1: one tree per controller.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import type { LCOWMetrics } from "../../bridge/messages.gen.ts";
import type { LinuxResources } from "../../oci/spec.gen.ts";
import { watchFileV1 } from "./events_v1.ts";
import {
  processesBelow,
  readFile,
  removeGroup,
  subgroups,
  writeValue,
} from "./files.ts";
import type { CgroupLayout } from "./layout.ts";
import { statsV1 } from "./stats_v1.ts";
import { type CgroupTree, type MemoryWatch, requireThreshold } from "./tree.ts";

type Value = string | number | bigint | undefined;

/** Where each limit is written. Limits with other names are the runtime's. */
const files: readonly (readonly [
  controller: string,
  file: string,
  value: (resources: LinuxResources) => Value,
])[] = [
  ["memory", "memory.limit_in_bytes", ({ memory }) => memory?.limit],
  ["memory", "memory.soft_limit_in_bytes", ({ memory }) => memory?.reservation],
  ["memory", "memory.memsw.limit_in_bytes", ({ memory }) => memory?.swap],
  ["cpu", "cpu.shares", ({ cpu }) => cpu?.shares],
  ["cpu", "cpu.cfs_period_us", ({ cpu }) => cpu?.period],
  ["cpu", "cpu.cfs_quota_us", ({ cpu }) => cpu?.quota],
  ["cpuset", "cpuset.cpus", ({ cpu }) => cpu?.cpus],
  ["cpuset", "cpuset.mems", ({ cpu }) => cpu?.mems],
  ["pids", "pids.max", ({ pids }) => pids?.limit],
  ["blkio", "blkio.weight", ({ blockIO }) => blockIO?.weight],
];

/** The trees of version 1. Controllers that are not mounted are left out. */
export class CgroupV1 implements CgroupTree {
  readonly #controllers: ReadonlyMap<string, string>;
  readonly #clock: Clock;

  /**
   * @param layout Where the controllers are mounted.
   * @param clock For the retries of a removal.
   */
  constructor(layout: CgroupLayout, clock: Clock) {
    this.#controllers = layout.controllers;
    this.#clock = clock;
  }

  /** Mount points; controllers that share one stand once. */
  get #places(): Set<string> {
    return new Set(this.#controllers.values());
  }

  /** Makes a group in every tree. */
  async create(path: string, resources: LinuxResources): Promise<void> {
    try {
      for (const place of this.#places) await makeGroup(place, path);
      for (const [controller, file, valueOf] of files) {
        const place = this.#controllers.get(controller);
        const value = valueOf(resources);
        if (place === undefined || isUnset(value)) continue;
        const target = `${place}${path}/${file}`;
        // A kernel that does not count swap has no such limit to set.
        const optional = file === "memory.memsw.limit_in_bytes";
        if (optional && await readFile(target) === undefined) continue;
        await writeValue(target, String(value));
      }
    } catch (error) {
      await this.remove(path);
      throw error;
    }
  }

  /** Removes a group from every tree. */
  async remove(path: string): Promise<void> {
    for (const place of this.#places) {
      await removeGroup(`${place}${path}`, (ms) => this.#clock.sleep(ms));
    }
  }

  /** Moves a process in every tree. */
  async join(path: string, pid: number): Promise<void> {
    for (const place of this.#places) {
      await writeValue(`${place}${path}/cgroup.procs`, String(pid));
    }
  }

  /** The processes, as the first tree knows them. */
  async processes(path: string): Promise<number[]> {
    const place = this.#controllers.get("pids") ??
      this.#controllers.get("memory") ?? [...this.#places][0];
    return place === undefined ? [] : await processesBelow(`${place}${path}`);
  }

  /** Sets the memory limit, where that controller is mounted. */
  async limitMemory(path: string, bytes: bigint): Promise<void> {
    const place = this.#controllers.get("memory");
    if (place === undefined) return;
    await writeValue(`${place}${path}/memory.limit_in_bytes`, String(bytes));
  }

  /** Reads statistics. */
  stats(path: string): Promise<LCOWMetrics> {
    return statsV1(this.#controllers, path);
  }

  /** Watches `memory.usage_in_bytes`; the kernel tells crossings downwards too. */
  async watchThreshold(
    path: string,
    bytes: bigint,
    signal: AbortSignal,
  ): Promise<MemoryWatch> {
    requireThreshold(path, bytes);
    const file = "memory.usage_in_bytes";
    return await watchFileV1(this.#memory(path), file, `${bytes}`, signal);
  }

  /** Watches `memory.oom_control`. */
  async watchOom(path: string, signal: AbortSignal): Promise<MemoryWatch> {
    return await watchFileV1(
      this.#memory(path),
      "memory.oom_control",
      "",
      signal,
    );
  }

  /** Folder of a group in the tree of memory. */
  #memory(path: string): string {
    const place = this.#controllers.get("memory");
    if (place !== undefined) return `${place}${path}`;
    throw new ShimError(
      "NotFound",
      `Cannot watch the memory of "${path}": its controller is not mounted`,
    );
  }
}

/** Zero means "not given" for every limit of OCI except the quota, where it is invalid. */
function isUnset(value: Value): boolean {
  return value === undefined || value === "" || value === 0 || value === 0n;
}

/** Makes a group and those above it; a new cpuset takes what is above it. */
async function makeGroup(place: string, path: string): Promise<void> {
  let group = place;
  for (const name of path.split("/").filter((part) => part !== "")) {
    const parent = group;
    group = `${parent}/${name}`;
    if ((await subgroups(parent)).includes(name)) continue;
    await Deno.mkdir(group, { recursive: true });
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      // A group whose cpuset is empty takes no process.
      const own = await readFile(`${group}/${file}`);
      if (own === undefined || own.trim() !== "") continue;
      const inherited = await readFile(`${parent}/${file}`);
      if (inherited?.trim()) await writeValue(`${group}/${file}`, inherited);
    }
  }
}
