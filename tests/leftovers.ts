/**
 * What a private containerd, its shims and VMs left on the machine: looked up
 * by the folder that all of them carry in their environment and paths.
 *
 * @module
 */

import { groupPrefix, stateFolders } from "../sim/state.ts";

/** Things that should not be there any more. */
export interface Leftovers {
  /** Processes: `<pid> <command line>`. */
  readonly processes: readonly string[];
  /** Mount points below the folder. */
  readonly mounts: readonly string[];
  /** Control groups of VMs in which nothing runs. */
  readonly cgroups: readonly string[];
  /** Files of the shim's state folder. */
  readonly files: readonly string[];
  /** Loop devices whose backing file is below the folder. */
  readonly loops: readonly string[];
}

async function text(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    // A process that ends, or a kernel thread, while /proc is read.
    if (error instanceof Error && !(error instanceof TypeError)) return "";
    throw error;
  }
}

async function entries(path: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (error) {
    // Nothing is there, or no longer.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function names(path: string): Promise<string[]> {
  return (await entries(path)).map(({ name }) => name);
}

/** Parts of the command lines of shims, VMs, agents and runtimes. */
const programs =
  /containerd-shim|shim\/main\.ts|guest\/main\.ts|boot\.sh|\b(crun|runc)\b/;

async function processes(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await names("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === Deno.pid) continue;
    const command = (await text(`/proc/${pid}/cmdline`)).replaceAll("\0", " ");
    // containerd itself and its log carry the folder too.
    if (!programs.test(command)) continue;
    const state = `LCOW_STATE=${dir}/`;
    const environ = await text(`/proc/${pid}/environ`);
    if (command.includes(dir) || environ.includes(state)) {
      found.push(`${pid} ${command.trim()}`);
    }
  }
  return found;
}

async function files(dir: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (path: string): Promise<void> => {
    for (const { name, isDirectory } of await entries(path)) {
      const child = `${path}/${name}`;
      // The logs of sandboxes stay, so that one can read why a sandbox died.
      if (child === `${dir}/lcow/log`) continue;
      if (isDirectory) await visit(child);
      else found.push(child);
    }
  };
  await visit(`${dir}/lcow`);
  return found;
}

/**
 * Groups of a state folder's VMs in which nothing runs: a VM that lives has
 * processes.
 */
async function emptyCgroups(dir: string): Promise<string[]> {
  const prefix = await groupPrefix(stateFolders(`${dir}/lcow`));
  const found: string[] = [];
  for (const controller of await names("/sys/fs/cgroup")) {
    const parent = `/sys/fs/cgroup/${controller}/lcow`;
    for (const { name, isDirectory } of await entries(parent)) {
      const group = `${parent}/${name}`;
      if (!isDirectory || !name.startsWith(prefix)) continue;
      if (!await isPopulated(group)) found.push(group);
    }
  }
  return found;
}

async function isPopulated(group: string): Promise<boolean> {
  if ((await text(`${group}/cgroup.procs`)).trim() !== "") return true;
  for (const { name, isDirectory } of await entries(group)) {
    if (isDirectory && await isPopulated(`${group}/${name}`)) return true;
  }
  return false;
}

/**
 * Looks for everything that belongs to a private containerd's folder.
 *
 * @param dir The folder; the shim's state folder is `lcow` below it.
 */
export async function leftovers(dir: string): Promise<Leftovers> {
  const mounts = (await Deno.readTextFile("/proc/self/mountinfo")).split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${dir}/`));
  const loops: string[] = [];
  for (const name of await names("/sys/block")) {
    const file = await text(`/sys/block/${name}/loop/backing_file`);
    if (file.startsWith(`${dir}/`)) loops.push(`${name} ${file.trim()}`);
  }
  return {
    processes: await processes(dir),
    mounts,
    cgroups: await emptyCgroups(dir),
    files: await files(dir),
    loops,
  };
}

/** Milliseconds that the last processes have to go, on a busy machine. */
const settleLimit = 30_000;

/** One line per thing that is left; empty when nothing is. */
export function leftoverLines(left: Leftovers): string[] {
  return Object.entries(left).flatMap(([kind, things]: [string, string[]]) =>
    things.map((thing) => `${kind}: ${thing}`)
  );
}

/**
 * What is left after shims and VMs had time to end by themselves: they do so a
 * moment after containerd has answered, and are nobody's children here, so that
 * there is no event to wait for.
 *
 * @param look Looks for leftovers.
 */
export async function settledLeftovers(
  look: () => Promise<Leftovers>,
): Promise<string[]> {
  const end = performance.now() + settleLimit;
  for (;;) {
    const lines = leftoverLines(await look());
    if (lines.length === 0 || performance.now() > end) return lines;
    await new Promise<void>((resolve) => setTimeout(resolve, 20));
  }
}
