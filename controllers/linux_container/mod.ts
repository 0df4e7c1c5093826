/**
 * Linux containers: layers, mounts, life cycle.
 *
 * @module
 */

// Of other rooms: what the signatures below name.
export type {
  ComputeHost,
  ComputeSystem,
  ComputeSystemSummary,
  Disk,
  ExitInfo,
  HostFiles,
  LayerSet,
} from "../../hcs/ports.ts";
export type { Annotations } from "../../oci/annotations.ts";

export type * from "../device/plan9/mod.ts";
export type * from "../device/scsi/mod.ts";
export type * from "../device/vpci/mod.ts";
export type * from "../process/mod.ts";
export type { RuntimeOptions } from "../vm/options.ts";
export type { ContainerOptions } from "./annotations.ts";
export {
  type ContainerPid,
  type CreateContainer,
  LinuxContainer,
} from "./controller.ts";
export type {
  ContainerDependencies,
  ContainerIds,
  HostShares,
} from "./dependencies.ts";
export {
  type ContainerEvent,
  type ContainerState,
  containerStates,
} from "./states.ts";
