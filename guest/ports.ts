/**
 * What the agent needs of its VM; tests replace single members.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Duplex } from "../base/duplex.ts";
import type { Logger } from "../base/log.ts";
import type { Timeouts } from "../base/timeouts.ts";
import type { CgroupTree } from "./cgroup/tree.ts";
import type { NetworkNamespaces } from "./network/namespaces.ts";
import type { VmPolicy } from "./policy/policy.ts";
import type { Reaper } from "../ffi/linux/reaper.ts";
import type { OciRuntime } from "./runtime/runtime.ts";
import type { SandboxMounts } from "./spec/sandbox_mounts.ts";
import type { GuestStorage } from "./storage/storage.ts";

/** The VM around the agent. */
export interface GuestPorts {
  /** Lines for the host. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Timeouts;
  /** Waits for processes. */
  readonly reaper: Reaper;
  /** kill(2); false when there is no such process. */
  readonly kill: (pid: number, signal: number) => boolean;
  /** The runtime; found at the first call. */
  readonly runtime: () => Promise<OciRuntime>;
  /** Control groups. */
  readonly cgroups: CgroupTree;
  /** Reaches a port of the host. */
  readonly dial: (port: number) => Promise<Duplex>;
  /** Network namespaces. */
  readonly networks: NetworkNamespaces;
  /** Says what the host may ask for. */
  readonly policy: VmPolicy;
  /** What the host mounts. */
  readonly storage: GuestStorage;
  /** Mounts of a sandbox. */
  readonly sandboxMounts: SandboxMounts;
  /** Name of the VM. */
  readonly hostname: () => string;
  /** Environment of the agent, for programs of the VM. */
  readonly env: Readonly<Record<string, string>>;
  /** Sets how much memory all pods together may use, from the memory of now. */
  readonly refreshMemoryLimit: () => Promise<unknown>;
}
