/**
 * The utility VM of a sandbox.
 *
 * @module
 */

// Of other rooms: what the signatures below name.
export type { DuplexListener } from "../../base/duplex.ts";
export type { LogSink } from "../../base/log.ts";
export type { State, States, Transition } from "../../base/states.ts";
export type * from "../../bridge/mod.ts";
export type {
  Chipset,
  ComPort,
  ComputeSystemDocument,
  ComputeTopology,
  CountPerNode,
  CpuGroup,
  Devices,
  GuestState,
  HvSocket,
  HvSocketConfig,
  HvSocketServiceConfig,
  Isolation,
  LinuxKernelDirect,
  Memory,
  Numa,
  NumaProcessorsSettings,
  NumaSetting,
  Plan9,
  Plan9Share,
  Processor,
  ProcessorLimits,
  Scsi,
  ScsiAttachment,
  SecuritySettings,
  StorageQoS,
  Uefi,
  UefiBootEntry,
  Version,
  VirtualMachine,
  VirtualMachineMemory,
  VirtualPciDevice,
  VirtualPciFunction,
} from "../../hcs/documents.gen.ts";
export type * from "../../hcs/ports.ts";
export type { Annotations } from "../../oci/annotations.ts";

export type * from "../device/plan9/mod.ts";
export type * from "../device/scsi/mod.ts";
export type * from "../device/vpci/mod.ts";
export type { BootPlan } from "./boot.ts";
export { VmController } from "./controller.ts";
export type { CreateVm, VmDependencies, VmExit } from "./dependencies.ts";
export { hcsDocument, type VmDocument } from "./document.ts";
export type { VmPlatform } from "./host_facts.ts";
export type {
  BootDirectory,
  ConfidentialConfig,
  DocumentInput,
  FileCopy,
  HostDevice,
  HostFacts,
  RuntimeOptions,
  SandboxOptions,
} from "./options.ts";
export { type VmEvent, type VmState, vmStates } from "./states.ts";
export type { VmStats } from "./stats.ts";
export { VmResources } from "./resources.ts";
