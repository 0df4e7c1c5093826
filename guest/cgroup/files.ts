/**
 * Reading and writing the files of control groups.
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import { isErrno } from "../../ffi/linux/errno.ts";

/** The largest unsigned 64-bit number: "no limit". */
export const unlimited = 0xffff_ffff_ffff_ffffn;

/** The text of a file, or undefined when there is none. */
export async function readFile(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const gone = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      // A group that is removed while it is read.
      isErrno(error, "ENODEV");
    if (gone) return undefined;
    throw error;
  }
}

/**
 * A file with one number. `max` is {@linkcode unlimited}.
 *
 * @returns undefined when the file is missing or holds no number.
 */
export async function readNumber(path: string): Promise<bigint | undefined> {
  const text = (await readFile(path))?.trim();
  if (text === undefined) return undefined;
  if (text === "max") return unlimited;
  return /^\d+$/.test(text) ? BigInt(text) : undefined;
}

/**
 * A file of lines `name value`.
 *
 * @returns undefined when the file is missing.
 * @throws {ShimError} DataLoss naming file and line that is none.
 */
export async function readPairs(
  path: string,
): Promise<Map<string, bigint> | undefined> {
  const text = await readFile(path);
  if (text === undefined) return undefined;
  const pairs = new Map<string, bigint>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, name, value] = line.match(/^(\S+) (\d+)$/) ?? [];
    if (name === undefined || value === undefined) {
      throw new ShimError("DataLoss", `Cannot read "${path}": line "${line}"`);
    }
    pairs.set(name, BigInt(value));
  }
  return pairs;
}

/** The numbers of a file of lines (`cgroup.procs`). */
export async function readLines(path: string): Promise<number[]> {
  const text = await readFile(path);
  return (text ?? "").split("\n").filter((line) => line !== "").map(Number);
}

/**
 * Writes one value.
 *
 * @throws {ShimError} Naming file, value and the kernel's reason.
 */
export async function writeValue(path: string, value: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, value, { create: false });
  } catch (cause) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot write "${value}" to "${path}": ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** Names of the folders directly below a group. */
export async function subgroups(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(path)) {
      if (entry.isDirectory) names.push(entry.name);
    }
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENODEV")) throw error;
  }
  return names;
}

/** The processes of a group and of all groups below it. */
export async function processesBelow(path: string): Promise<number[]> {
  const pids = await readLines(`${path}/cgroup.procs`);
  for (const name of await subgroups(path)) {
    pids.push(...await processesBelow(`${path}/${name}`));
  }
  return pids;
}

/** Pauses between attempts to remove a group whose last process just ended. */
const pauses = [10, 20, 40, 80];

/**
 * Removes a group and those below it.
 *
 * @param sleep Waits this many milliseconds.
 * @throws {ShimError} FailedPrecondition when processes remain.
 */
export async function removeGroup(
  path: string,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  for (const name of await subgroups(path)) {
    await removeGroup(`${path}/${name}`, sleep);
  }
  for (let attempt = 0;; attempt++) {
    try {
      await Deno.remove(path);
      return;
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return;
      const pause = pauses[attempt];
      if (pause === undefined) {
        throw new ShimError(
          "FailedPrecondition",
          `Cannot remove cgroup "${path}": it still contains running tasks`,
          { cause },
        );
      }
      await sleep(pause);
    }
  }
}
