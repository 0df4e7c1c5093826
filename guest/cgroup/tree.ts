/**
 * Control groups as the agent uses them; v1 and v2 look the same.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { LCOWMetrics } from "../../bridge/messages.gen.ts";
import type { LinuxResources } from "../../oci/spec.gen.ts";

/**
 * Events of a group's memory from the moment in which there is a watch. An item
 * stands for one or more events; those that come while an item is handled are
 * one item. It ends, and leaves no descriptor, when the group is gone, when the
 * signal of its request aborts, or when its reader leaves; there is one reader.
 */
export type MemoryWatch = AsyncIterable<void>;

/** The tree of control groups. Paths are absolute in it, for example `/pods/a`. */
export interface CgroupTree {
  /**
   * Makes a group with limits.
   *
   * @throws {ShimError} FailedPrecondition when the kernel refuses a value;
   * nothing stays behind.
   */
  create(path: string, resources: LinuxResources): Promise<void>;
  /**
   * Removes a group and those below it. A missing one is a success.
   *
   * @throws {ShimError} FailedPrecondition while processes are in it.
   */
  remove(path: string): Promise<void>;
  /** Moves a process into a group. */
  join(path: string, pid: number): Promise<void>;
  /** The processes of a group and of those below it; empty when it is gone. */
  processes(path: string): Promise<number[]>;
  /** Sets how much memory a group may use, in bytes. */
  limitMemory(path: string, bytes: bigint): Promise<void>;
  /**
   * Statistics in the shape of the bridge.
   *
   * @throws {ShimError} NotFound for a v1 group that is gone.
   */
  stats(path: string): Promise<LCOWMetrics>;
  /**
   * Watches for a group's use of memory, with that of the groups below it, to
   * rise above a threshold; v1 tells that it falls below it, too.
   *
   * @param bytes The threshold.
   * @throws {ShimError} NotFound for a group that does not exist,
   * InvalidArgument when `bytes` is no positive number.
   */
  watchThreshold(
    path: string,
    bytes: bigint,
    signal: AbortSignal,
  ): Promise<MemoryWatch>;
  /**
   * Watches for a group to run out of memory: v1 tells that it, or a group
   * above it, has reached its limit; v2 that a process in it was killed.
   *
   * @throws {ShimError} NotFound for a group that does not exist.
   */
  watchOom(path: string, signal: AbortSignal): Promise<MemoryWatch>;
}

/**
 * Checks the threshold of a watch.
 *
 * @throws {ShimError} InvalidArgument when it is no positive number.
 */
export function requireThreshold(path: string, bytes: bigint): void {
  if (bytes > 0n) return;
  throw new ShimError(
    "InvalidArgument",
    `Cannot watch the memory of "${path}": ${bytes} bytes are no threshold`,
  );
}
