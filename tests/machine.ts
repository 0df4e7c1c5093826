/**
 * What one shim and its virtual machine occupy of the computer, seen from
 * outside.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { descendants, namesIn, type Processes, readProc } from "./processes.ts";

/** What is counted of a machine that nobody uses at the moment, by what it is. */
export type Holdings = Readonly<Record<string, number>>;

/** Descriptors by kind: `socket:[17]` counts as `socket`, a path as itself. */
async function descriptors(pid: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const fd of await namesIn(`/proc/${pid}/fd`)) {
    let target: string;
    try {
      target = await Deno.readLink(`/proc/${pid}/fd/${fd}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue; // Just closed.
      throw error;
    }
    const kind = target.replace(/:\[\d+\]$/, "");
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).sort());
}

async function countFolders(path: string): Promise<number> {
  let count = 0;
  try {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory) count += 1 + await countFolders(`${path}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // Just removed.
  }
  return count;
}

/** Mounts of a machine by place, without those of the computer that it sees. */
async function mounts(agent: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const lines = await readProc(`/proc/${agent}/mountinfo`);
  for (const line of lines.split("\n")) {
    const place = line.split(" ")[4];
    if (place === undefined || line.includes(" /.host")) continue;
    const kind = `mounts at ${place}`;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/**
 * Counts what a machine holds: descriptors of its shim and its guest agent by
 * kind, processes, mounts, control groups.
 */
export async function holdings(
  { shim, agent, vm }: Processes,
): Promise<Holdings> {
  const counts: Record<string, number> = {
    processes: (await descendants(vm)).length,
    ...await mounts(agent),
    groups: await countFolders(`/proc/${agent}/root/sys/fs/cgroup`),
  };
  for (const [name, pid] of Object.entries({ shim, agent })) {
    for (const [kind, count] of Object.entries(await descriptors(pid))) {
      counts[`descriptors of the ${name}: ${kind}`] = count;
    }
  }
  return counts;
}

/** Bytes of memory of a process that are resident. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readProc(`/proc/${pid}/status`);
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib !== undefined) return Number(kib) * 1024;
  throw new ShimError("NotFound", `Process ${pid} does not run`);
}

/** Named network namespaces and network interfaces of the computer. */
export async function networkNames(): Promise<string[]> {
  return [
    ...(await namesIn("/run/netns")).map((name) => `netns ${name}`),
    ...(await namesIn("/sys/class/net")).map((name) => `interface ${name}`),
  ].sort();
}
