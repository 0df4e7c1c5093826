/**
 * What one shim and its virtual machine occupy of the computer, seen from
 * outside.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { type StateFolders, vmFolder } from "../../sim/state.ts";
import { readRecord } from "../../sim/system_record.ts";

/** The processes of one virtual machine that faults aim at. */
export interface Processes {
  /** The shim that serves it. */
  readonly shim: number;
  /** The guest agent. */
  readonly agent: number;
  /** The process above its first one, with which everything in it ends. */
  readonly vm: number;
}

/** A process that ends while it is looked at has nothing to say. */
async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Error && !(error instanceof TypeError)) return "";
    throw error;
  }
}

async function names(path: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** A process and everything below it, itself first. */
export async function descendants(pid: number): Promise<number[]> {
  const found = [pid];
  for (const parent of found) {
    for (const thread of await names(`/proc/${parent}/task`)) {
      const path = `/proc/${parent}/task/${thread}/children`;
      found.push(
        ...(await read(path)).trim().split(" ").filter(Boolean).map(
          Number,
        ),
      );
    }
  }
  return found;
}

/** The command line of a process, its words joined by blanks. */
export async function commandLine(pid: number): Promise<string> {
  return (await read(`/proc/${pid}/cmdline`)).replaceAll("\0", " ");
}

/**
 * The processes of a group's machine.
 *
 * @throws {ShimError} NotFound when it has none that runs.
 */
export async function processesOf(
  state: StateFolders,
  key: string,
): Promise<Processes> {
  const record = await readRecord(await vmFolder(state, `${key}@vm`));
  const vm = record?.vm?.pid;
  if (record !== undefined && vm !== undefined) {
    for (const pid of await descendants(vm)) {
      // Others above it have its command line within theirs.
      const command = await commandLine(pid);
      if (/guest\/main\.ts/.test(command) && !/boot\.sh/.test(command)) {
        return { shim: record.process.pid, agent: pid, vm };
      }
    }
  }
  throw new ShimError("NotFound", `No machine of group "${key}" runs`);
}

/** What is counted of a machine that nobody uses at the moment. */
export interface Holdings {
  /** Descriptors of the shim, by what they are. */
  readonly shim: Readonly<Record<string, number>>;
  /** Descriptors of the guest agent, by what they are. */
  readonly agent: Readonly<Record<string, number>>;
  /** Processes of the machine. */
  readonly processes: number;
  /** Mounts in the machine. */
  readonly mounts: number;
  /** Control groups of the machine. */
  readonly groups: number;
}

/** Descriptors by kind: `socket:[17]` counts as `socket`, a path as itself. */
async function descriptors(pid: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const fd of await names(`/proc/${pid}/fd`)) {
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

/** Counts what a machine holds. */
export async function holdings(
  { shim, agent, vm }: Processes,
): Promise<Holdings> {
  const mounts = await read(`/proc/${agent}/mountinfo`);
  return {
    shim: await descriptors(shim),
    agent: await descriptors(agent),
    processes: (await descendants(vm)).length,
    mounts: mounts.split("\n").length - 1,
    groups: await countFolders(`/proc/${agent}/root/sys/fs/cgroup`),
  };
}

/** Bytes of memory of a process that are resident. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await read(`/proc/${pid}/status`);
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib !== undefined) return Number(kib) * 1024;
  throw new ShimError("NotFound", `Process ${pid} does not run`);
}

/** Named network namespaces and network interfaces of the computer. */
export async function networkNames(): Promise<string[]> {
  return [
    ...(await names("/run/netns")).map((name) => `netns ${name}`),
    ...(await names("/sys/class/net")).map((name) => `interface ${name}`),
  ].sort();
}
