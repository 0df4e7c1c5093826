/**
 * Events of the memory controller, version 1: the kernel raises an eventfd that
 * was registered in `cgroup.event_control`.
 *
 * @module
 */

import { type EventCounter, eventCounter } from "../../ffi/linux/eventfd.ts";
import { close, open, OpenFlag } from "../../ffi/linux/files.ts";
import { writeValue } from "./files.ts";
import type { MemoryWatch } from "./tree.ts";

/**
 * Watches one file of a group.
 *
 * @param group Folder of the group.
 * @param file What is watched.
 * @param argument What else the kernel needs to know; may be empty.
 * @throws {ErrnoError} NotFound when there is no such group.
 * @throws {ShimError} FailedPrecondition when the kernel refuses.
 */
export async function watchFileV1(
  group: string,
  file: string,
  argument: string,
  signal: AbortSignal,
): Promise<MemoryWatch> {
  signal.throwIfAborted();
  const watched = open(`${group}/${file}`, OpenFlag.ReadOnly);
  let counter: EventCounter | undefined;
  try {
    counter = eventCounter();
    const request = `${counter.fd} ${watched} ${argument}`.trimEnd();
    await writeValue(`${group}/cgroup.event_control`, request);
    signal.throwIfAborted();
  } catch (error) {
    await counter?.close();
    throw error;
  } finally {
    close(watched);
  }
  return eventsOf(group, counter, signal);
}

/** The kernel ends the registration when the last descriptor is closed. */
function eventsOf(
  group: string,
  counter: EventCounter,
  signal: AbortSignal,
): MemoryWatch {
  const stop = (): void => void counter.close();
  signal.addEventListener("abort", stop, { once: true });
  return (async function* () {
    try {
      // The removal of the group raises the counter as well.
      while (await counter.wait() && await isThere(group)) yield;
    } finally {
      signal.removeEventListener("abort", stop);
      await counter.close();
    }
  })();
}

async function isThere(group: string): Promise<boolean> {
  try {
    return (await Deno.stat(group)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
