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
 * this host does not simulate (network adapters, file shares, PCI devices,
 * isolation) is refused as "not supported" instead of pretended.
 *
 * @module
 */

export {
  simulatedHost,
  simulatedPlatform,
  type SimulationOptions,
} from "./host.ts";
export { SimulatedHost, type SimulatedHostOptions } from "./simulated_host.ts";
export { type GuestProgram, guestProgram } from "./guest_program.ts";
export { type StateFolders, stateFolders } from "./state.ts";
