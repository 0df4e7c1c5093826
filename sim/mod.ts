/**
 * A simulated Windows host on Linux, and a strict judge of what is asked of it.
 *
 * Virtual machines are guest agents in mount, pid, network, uts, ipc and cgroup
 * namespaces of their own with a private root; Hyper-V sockets are Unix sockets;
 * SCSI disks are directories or images behind loop devices. The state is in
 * folders below `LCOW_STATE`, so that several processes see the same host and a
 * crash can be cleaned up after.
 *
 * Every document is validated against the schema of the compute service. What
 * this host does not simulate (file shares, PCI devices, isolation) is refused as "not supported" instead of pretended.
 *
 * @module
 */

// Of other rooms: what the signatures below name.
export type { Clock } from "../base/clock.ts";
export type { Duplex, DuplexListener } from "../base/duplex.ts";
export type { Json, JsonObject } from "../base/json.ts";
export type { LogFields, Logger, LogSink } from "../base/log.ts";
export type * from "../hcs/ports.ts";

export type { CgroupLayout, Hierarchy } from "./hierarchies.ts";
export {
  simulatedHost,
  simulatedPlatform,
  type SimulationOptions,
} from "./host.ts";
export { SimulatedHost, type SimulatedHostOptions } from "./simulated_host.ts";
export { type Env, type GuestProgram, guestProgram } from "./guest_program.ts";
export type { SharedDirectory } from "./mount_table.ts";
export { type StateFolders, stateFolders } from "./state.ts";
