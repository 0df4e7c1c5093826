/**
 * The processes of shims and virtual machines, seen from outside.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { vmSystemId } from "../hcs/system_id.ts";
import { type StateFolders, vmFolder } from "../sim/state.ts";
import { readRecord } from "../sim/system_record.ts";

/** The processes of one virtual machine that faults aim at. */
export interface Processes {
  /** The shim that serves it. */
  readonly shim: number;
  /** The guest agent. */
  readonly agent: number;
  /** The process above its first one, with which everything in it ends. */
  readonly vm: number;
}

/** A file of `/proc`; a process that ends while it is looked at has nothing to say. */
export async function readProc(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Error && !(error instanceof TypeError)) return "";
    throw error;
  }
}

/** Names in a folder that may not be there. */
export async function namesIn(path: string): Promise<string[]> {
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
    for (const thread of await namesIn(`/proc/${parent}/task`)) {
      const path = `/proc/${parent}/task/${thread}/children`;
      found.push(
        ...(await readProc(path)).trim().split(" ").filter(Boolean).map(
          Number,
        ),
      );
    }
  }
  return found;
}

/** The command line of a process, its words joined by blanks. */
export async function commandLine(pid: number): Promise<string> {
  return (await readProc(`/proc/${pid}/cmdline`)).replaceAll("\0", " ");
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
  const record = await readRecord(await vmFolder(state, vmSystemId(key)));
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
