/**
 * Control groups, version 2: one tree.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { LCOWMetrics } from "../../bridge/messages.gen.ts";
import type { LinuxResources } from "../../oci/spec.gen.ts";
import {
  filesOfResources,
  type IoEntry,
  metricsOfStats,
  parseMemoryEvents,
} from "./convert.ts";
import { watchOomV2, watchThresholdV2 } from "./events_v2.ts";
import {
  processesBelow,
  readFile,
  readNumber,
  readPairs,
  removeGroup,
  writeValue,
} from "./files.ts";
import { type CgroupTree, type MemoryWatch, requireThreshold } from "./tree.ts";

/** The tree of version 2. */
export class CgroupV2 implements CgroupTree {
  readonly #root: string;
  readonly #clock: Clock;

  /**
   * @param root Where the tree is mounted.
   * @param clock For the retries of a removal and for samples of memory.
   */
  constructor(root: string, clock: Clock) {
    this.#root = root;
    this.#clock = clock;
  }

  /** Makes a group and gives it the controllers that its limits need. */
  async create(path: string, resources: LinuxResources): Promise<void> {
    const group = `${this.#root}${path}`;
    const files = filesOfResources(resources);
    try {
      await Deno.mkdir(group, { recursive: true });
      const needed = new Set(files.map(([file]) => file.split(".")[0]!));
      await this.#enable(path, needed);
      for (const [file, value] of files) {
        await writeValue(`${group}/${file}`, value);
      }
    } catch (error) {
      await this.remove(path);
      throw error;
    }
  }

  /** Every group above hands the controllers down. */
  async #enable(path: string, controllers: Set<string>): Promise<void> {
    let group = this.#root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      const file = `${group}/cgroup.subtree_control`;
      const enabled = (await readFile(file) ?? "").trim().split(" ");
      for (const controller of controllers) {
        if (!enabled.includes(controller)) {
          await writeValue(file, `+${controller}`);
        }
      }
      group += `/${name}`;
    }
  }

  /** Removes a group. */
  async remove(path: string): Promise<void> {
    const sleep = (ms: number): Promise<void> => this.#clock.sleep(ms);
    await removeGroup(`${this.#root}${path}`, sleep);
  }

  /** Moves a process. */
  async join(path: string, pid: number): Promise<void> {
    await writeValue(`${this.#root}${path}/cgroup.procs`, String(pid));
  }

  /** The processes of a group. */
  async processes(path: string): Promise<number[]> {
    return await processesBelow(`${this.#root}${path}`);
  }

  /** Sets the memory limit. */
  async limitMemory(path: string, bytes: bigint): Promise<void> {
    await this.#enable(path, new Set(["memory"]));
    await writeValue(`${this.#root}${path}/memory.max`, String(bytes));
  }

  /** Reads statistics. A group that is gone has only zeros. */
  async stats(path: string): Promise<LCOWMetrics> {
    const group = `${this.#root}${path}`;
    const number = async (file: string): Promise<bigint> =>
      await readNumber(`${group}/${file}`) ?? 0n;
    const events = await readFile(`${group}/memory.events`);
    const metrics = metricsOfStats({
      cpu: await readPairs(`${group}/cpu.stat`) ?? new Map(),
      memory: await readPairs(`${group}/memory.stat`) ?? new Map(),
      memoryUsage: {
        current: await number("memory.current"),
        max: await number("memory.max"),
        peak: await number("memory.peak"),
        swapCurrent: await number("memory.swap.current"),
        swapMax: await number("memory.swap.max"),
        swapPeak: await number("memory.swap.peak"),
      },
      memoryEvents: parseMemoryEvents(events ?? ""),
      pids: {
        current: await number("pids.current"),
        limit: await number("pids.max"),
      },
      io: parseIoStat(await readFile(`${group}/io.stat`) ?? ""),
      rdma: { current: [], limit: [] },
      hugetlb: await this.#hugetlb(group),
    });
    // A message holds 64 KiB: lists per device are left empty.
    if (metrics.blkio !== undefined) metrics.blkio = {};
    return metrics;
  }

  /** Samples `memory.current`, of which the kernel tells nothing by itself. */
  async watchThreshold(
    path: string,
    bytes: bigint,
    signal: AbortSignal,
  ): Promise<MemoryWatch> {
    requireThreshold(path, bytes);
    const group = `${this.#root}${path}`;
    return await watchThresholdV2(group, bytes, this.#clock, signal);
  }

  /** Watches `memory.events`. */
  async watchOom(path: string, signal: AbortSignal): Promise<MemoryWatch> {
    return await watchOomV2(`${this.#root}${path}`, signal);
  }

  async #hugetlb(group: string): Promise<{ usage: bigint; max: bigint }[]> {
    const rows: { usage: bigint; max: bigint }[] = [];
    const sizes: string[] = [];
    try {
      for await (const { name } of Deno.readDir("/sys/kernel/mm/hugepages")) {
        const [, kib] = name.match(/^hugepages-(\d+)kB$/) ?? [];
        if (kib !== undefined) sizes.push(pageSizeName(Number(kib)));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    for (const size of sizes.sort()) {
      const usage = await readNumber(`${group}/hugetlb.${size}.current`);
      if (usage === undefined) continue;
      const max = await readNumber(`${group}/hugetlb.${size}.max`);
      rows.push({ usage, max: max ?? 0n });
    }
    return rows;
  }
}

/** `2048` KiB is `2MB` in the names of the controller's files. */
function pageSizeName(kib: number): string {
  if (kib >= 1024 * 1024) return `${kib / 1024 / 1024}GB`;
  return kib >= 1024 ? `${kib / 1024}MB` : `${kib}KB`;
}

/** Reads `io.stat`; devices without numbers are skipped. */
function parseIoStat(text: string): IoEntry[] {
  const entries: IoEntry[] = [];
  for (const line of text.split("\n")) {
    const [device, ...pairs] = line.trim().split(" ");
    const [, major, minor] = device?.match(/^(\d+):(\d+)$/) ?? [];
    if (major === undefined || minor === undefined) continue;
    const value = (name: string): bigint => {
      const pair = pairs.find((text) => text.startsWith(`${name}=`));
      return BigInt(pair?.slice(name.length + 1) ?? 0);
    };
    entries.push({
      major: BigInt(major),
      minor: BigInt(minor),
      rbytes: value("rbytes"),
      wbytes: value("wbytes"),
      rios: value("rios"),
      wios: value("wios"),
    });
  }
  return entries;
}
