/**
 * Events of the memory controller, version 2. The kernel tells changes of
 * `memory.events` as changes of a file (inotify(7)), those of `memory.current`
 * not at all.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { parseMemoryEvents } from "./convert.ts";
import { readFile, readNumber } from "./files.ts";
import type { MemoryWatch } from "./tree.ts";

/** Milliseconds between two samples of the memory in use. */
const sampleInterval = 1_000;

function missing(group: string): ShimError {
  return new ShimError(
    "NotFound",
    `Cannot watch the memory of "${group}": there is no such group`,
  );
}

/**
 * Samples the memory in use: an event is a sample above the threshold and above
 * the one before.
 *
 * @param group Folder of the group.
 * @throws {ShimError} NotFound when there is no such group.
 */
export async function watchThresholdV2(
  group: string,
  bytes: bigint,
  clock: Clock,
  signal: AbortSignal,
): Promise<MemoryWatch> {
  signal.throwIfAborted();
  const sample = (): Promise<bigint | undefined> =>
    readNumber(`${group}/memory.current`);
  const first = await sample();
  if (first === undefined) throw missing(group);
  return (async function* () {
    for (let previous = first;;) {
      try {
        await clock.sleep(sampleInterval, signal);
      } catch {
        return; // the signal
      }
      const current = await sample();
      if (current === undefined) return;
      if (current > bytes && current > previous) yield;
      previous = current;
    }
  })();
}

/** How many processes of a group the kernel has killed for want of memory. */
async function killsIn(group: string): Promise<bigint | undefined> {
  const text = await readFile(`${group}/memory.events`);
  return text === undefined
    ? undefined
    : parseMemoryEvents(text).get("oom_kill") ?? 0n;
}

/**
 * Waits for the kernel to kill processes of a group. Deno keeps one thread of
 * its own, none of its pool, for a watch of files.
 *
 * @param group Folder of the group.
 * @throws {ShimError} NotFound when there is no such group.
 */
export async function watchOomV2(
  group: string,
  signal: AbortSignal,
): Promise<MemoryWatch> {
  signal.throwIfAborted();
  if (await killsIn(group) === undefined) throw missing(group);
  // The removal of a group is told only for the folder above it.
  const above = group.slice(0, group.lastIndexOf("/"));
  const watcher = Deno.watchFs([`${group}/memory.events`, above], {
    recursive: false,
  });
  let first: bigint | undefined;
  try {
    first = await killsIn(group);
    if (first === undefined) throw missing(group);
    signal.throwIfAborted();
  } catch (error) {
    watcher.close();
    throw error;
  }
  return killsOf(group, first, watcher, signal);
}

function killsOf(
  group: string,
  first: bigint,
  watcher: Deno.FsWatcher,
  signal: AbortSignal,
): MemoryWatch {
  const stop = (): void => watcher.close();
  signal.addEventListener("abort", stop, { once: true });
  return (async function* () {
    let previous = first;
    try {
      for await (const { kind } of watcher) {
        if (kind === "access") continue;
        const current = await killsIn(group);
        if (current === undefined) return;
        if (current <= previous) continue;
        previous = current;
        yield;
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  })();
}
