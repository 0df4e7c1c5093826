/**
 * Control groups as the agent uses them; v1 and v2 look the same.
 *
 * @module
 */

import type { LCOWMetrics } from "../../bridge/messages.gen.ts";
import type { LinuxResources } from "../../oci/spec.gen.ts";

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
}
