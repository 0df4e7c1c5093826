/**
 * The control group of one simulated virtual machine: made, limited, emptied and
 * removed. Nothing outside of it is touched but its parent `lcow`.
 *
 * @module
 */

import { type Clock, deadline } from "../base/clock.ts";
import {
  isGone,
  killIfThere,
  processesOf,
  removeGroup,
  removeTree,
} from "./group_tree.ts";
import type { CgroupLayout, Hierarchy } from "./hierarchies.ts";

/** The parent of all machines' groups. */
const parentName = "lcow";

/** Killed processes leave their group within moments; longer means they hang in the kernel. */
const emptyWithin = 5_000;

/** Version 1 has no event for "empty". */
const emptyPoll = 5;

/** Microseconds over which a CPU quota is counted, the kernel's default. */
const cpuPeriod = 100_000;

/** What a machine has used. */
export interface GroupUsage {
  /** Bytes of memory. */
  readonly memory: number;
  /** CPU time in nanoseconds: in all, of programs, of the kernel. */
  readonly cpu: {
    readonly total: number;
    readonly user: number;
    readonly kernel: number;
  };
}

async function readText(path: string): Promise<string> {
  return (await Deno.readTextFile(path)).trim();
}

/** Writes a control file that exists only when the controller is enabled. */
async function writeIfThere(path: string, value: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, value, { create: false });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A new version 1 cpuset group takes no process until it has both. */
async function inheritCpuset(group: string, parent: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    await Deno.writeTextFile(
      `${group}/${file}`,
      await readText(`${parent}/${file}`),
    );
  }
}

/** Controllers of version 2 that containers are limited with. */
const wanted = ["cpu", "cpuset", "io", "memory", "pids"];

/**
 * Hands controllers down to the children, those that are not yet. The machine's
 * manager may refuse one; limits of that one are then not to be had here.
 */
async function enableControllers(
  group: string,
  controllers: readonly string[],
): Promise<void> {
  const file = `${group}/cgroup.subtree_control`;
  const enabled = (await readText(file)).split(" ");
  for (const controller of wanted) {
    if (!controllers.includes(controller) || enabled.includes(controller)) {
      continue;
    }
    try {
      await Deno.writeTextFile(file, `+${controller}`, { create: false });
    } catch (error) {
      if (!(error instanceof Error) || error instanceof TypeError) throw error;
    }
  }
}

/** Makes a group; one that is there already is what a crash left of the same machine. */
async function makeGroup(group: string): Promise<void> {
  try {
    await Deno.mkdir(group);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

async function makeIn(hierarchy: Hierarchy, name: string): Promise<string> {
  const { mountPoint, version, controllers } = hierarchy;
  const parent = `${mountPoint}/${parentName}`;
  const group = `${parent}/${name}`;
  for (let attempt = 0;; attempt++) {
    try {
      await makeGroup(parent);
      if (version === 2) {
        await enableControllers(mountPoint, controllers);
        await enableControllers(parent, controllers);
      }
      if (controllers.includes("cpuset") && version === 1) {
        await inheritCpuset(parent, mountPoint);
      }
      // Not recursive: a parent that is made anew here would not be set up.
      await makeGroup(group);
      if (controllers.includes("cpuset") && version === 1) {
        await inheritCpuset(group, parent);
      }
      return group;
    } catch (error) {
      // The last machine of another shim may just have removed the parent.
      if (!isGone(error) || attempt >= 10) throw error;
    }
  }
}

/** The groups of one machine, one per hierarchy. */
export class ControlGroup {
  /** Directory per hierarchy, in the order of the layout. */
  readonly directories: readonly string[];
  readonly #layout: CgroupLayout;

  /**
   * @param layout The machine's hierarchies.
   * @param name Name of the group in each.
   */
  constructor(layout: CgroupLayout, name: string) {
    this.#layout = layout;
    this.directories = layout.hierarchies.map(({ mountPoint }) =>
      `${mountPoint}/${parentName}/${name}`
    );
  }

  /** Makes the groups. */
  async make(): Promise<void> {
    const name = this.directories[0]?.split("/").at(-1) ?? "";
    await Promise.all(
      this.#layout.hierarchies.map((hierarchy) => makeIn(hierarchy, name)),
    );
  }

  /** Directory of the hierarchy that has a controller, or undefined. */
  #of(controller: string): string | undefined {
    const at = this.#layout.hierarchies.findIndex(({ controllers }) =>
      controllers.includes(controller)
    );
    return this.directories[at];
  }

  /** Limits the memory, in bytes. */
  async limitMemory(bytes: number): Promise<void> {
    const group = this.#of("memory");
    if (group === undefined) return;
    const file = this.#layout.version === 2
      ? "memory.max"
      : "memory.limit_in_bytes";
    await writeIfThere(`${group}/${file}`, String(bytes));
  }

  /** Limits the CPU time, in processors; undefined for no limit. */
  async limitCpu(processors: number | undefined): Promise<void> {
    const group = this.#of("cpu");
    if (group === undefined) return;
    const quota = processors === undefined
      ? undefined
      : Math.max(1_000, Math.round(processors * cpuPeriod));
    if (this.#layout.version === 2) {
      await writeIfThere(`${group}/cpu.max`, `${quota ?? "max"} ${cpuPeriod}`);
    } else {
      await writeIfThere(`${group}/cpu.cfs_quota_us`, String(quota ?? -1));
    }
  }

  /** Weighs the CPU time against other groups; 1 is the default. */
  async weighCpu(weight: number): Promise<void> {
    const group = this.#of("cpu");
    if (group === undefined) return;
    const [file, normal, least, most] = this.#layout.version === 2
      ? ["cpu.weight", 100, 1, 10_000] as const
      : ["cpu.shares", 1024, 2, 262_144] as const;
    const value = Math.min(most, Math.max(least, Math.round(weight * normal)));
    await writeIfThere(`${group}/${file}`, String(value));
  }

  /** What the machine uses now. */
  async usage(): Promise<GroupUsage> {
    const memory = this.#of("memory");
    const isV2 = this.#layout.version === 2;
    const bytes = memory === undefined ? 0 : Number(
      await readText(
        `${memory}/${isV2 ? "memory.current" : "memory.usage_in_bytes"}`,
      ),
    );
    return {
      memory: bytes,
      cpu: isV2 ? await this.#cpuOfV2() : await this.#cpuOfV1(),
    };
  }

  async #cpuOfV1(): Promise<GroupUsage["cpu"]> {
    const group = this.#of("cpuacct");
    if (group === undefined) return { total: 0, user: 0, kernel: 0 };
    const read = async (file: string): Promise<number> =>
      Number(await readText(`${group}/cpuacct.${file}`));
    const [total, user, kernel] = await Promise.all([
      read("usage"),
      read("usage_user"),
      read("usage_sys"),
    ]);
    return { total, user, kernel };
  }

  async #cpuOfV2(): Promise<GroupUsage["cpu"]> {
    const text = await readText(`${this.#of("cpu")}/cpu.stat`);
    const microseconds = new Map(
      text.split("\n").map((line) => line.split(" ") as [string, string]),
    );
    const read = (name: string): number =>
      Number(microseconds.get(`${name}_usec`) ?? 0) * 1_000;
    return {
      total: read("usage"),
      user: read("user"),
      kernel: read("system"),
    };
  }

  /**
   * Kills what runs in the groups and removes them, parents included when they
   * are not needed any more.
   *
   * @throws {ShimError} DeadlineExceeded when processes do not go away.
   */
  async remove(clock: Clock): Promise<void> {
    await deadline(
      clock,
      emptyWithin,
      "the end of the processes of a virtual machine",
      (signal) => this.#empty(clock, signal),
    );
    await Promise.all(this.directories.map(async (directory) => {
      await removeTree(directory, clock);
      // Other machines keep it: not empty.
      await removeGroup(directory.slice(0, directory.lastIndexOf("/")));
    }));
  }

  async #empty(clock: Clock, signal: AbortSignal): Promise<void> {
    const [directory] = this.directories;
    if (directory === undefined) return;
    for (;;) {
      const pids = await processesOf(directory);
      if (pids.length === 0) return;
      for (const pid of pids) killIfThere(pid);
      await clock.sleep(emptyPoll, signal);
    }
  }
}
