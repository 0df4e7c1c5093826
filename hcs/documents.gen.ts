/**
 * Documents of the host compute service. Generated from `schema/hcs` by `deno
 * task codegen`; do not edit.
 *
 * @module
 */

import {
  boolean,
  int32,
  json,
  jsonObject,
  string,
  uint16,
  uint32,
  uint64,
} from "../base/codec.ts";
import {
  always,
  filled,
  list,
  map,
  object,
  type ObjectCodec,
  oneOf,
  whenSet,
} from "../base/codec_shapes.ts";
import type { Json, JsonObject } from "../base/json.ts";

/** A serial port. */
export interface ComPort {
  /** Path of the pipe, `\\.\pipe\…`, which the VM connects to as a client. */
  NamedPipe: string;
}

/** Codec of {@linkcode ComPort}. */
export const ComPort: ObjectCodec<ComPort> = object("ComPort", {
  NamedPipe: always(string),
});

/** A disk on a SCSI controller. */
export interface ScsiAttachment {
  /**
   * What `Path` is: a virtual disk file, a disk of the host, or a disk of the
   * type that `ExtensibleVirtualDiskType` names. One of `VirtualDisk`,
   * `PassThru`, `ExtensibleVirtualDisk`.
   */
  Type: string;
  /** Path on the host; the VM must have been granted access to it. */
  Path: string;
  /** The VM cannot write to the disk. */
  ReadOnly?: boolean;
  /** Only with that type. */
  ExtensibleVirtualDiskType?: string;
}

/** Codec of {@linkcode ScsiAttachment}. */
export const ScsiAttachment: ObjectCodec<ScsiAttachment> = object(
  "ScsiAttachment",
  {
    Type: always(oneOf("VirtualDisk", "PassThru", "ExtensibleVirtualDisk")),
    Path: always(string),
    ReadOnly: filled(boolean),
    ExtensibleVirtualDiskType: filled(string),
  },
);

/** A SCSI controller. */
export interface Scsi {
  /** By LUN. */
  Attachments?: Record<string, ScsiAttachment>;
}

/** Codec of {@linkcode Scsi}. */
export const Scsi: ObjectCodec<Scsi> = object("Scsi", {
  Attachments: filled(map(ScsiAttachment)),
});

/** One function of an assigned device. */
export interface VirtualPciFunction {
  /** Instance path of the device on the host, such as `PCIP\VEN_…`. */
  DeviceInstancePath: string;
  /** Index of the virtual function; absent is 0. */
  VirtualFunction?: number;
}

/** Codec of {@linkcode VirtualPciFunction}. */
export const VirtualPciFunction: ObjectCodec<VirtualPciFunction> = object(
  "VirtualPciFunction",
  {
    DeviceInstancePath: always(string),
    VirtualFunction: filled(uint16),
  },
);

/** An assigned PCI device. */
export interface VirtualPciDevice {
  /** The assigned functions; here always one. */
  Functions?: VirtualPciFunction[];
  /** The guest sees the NUMA node that the device is attached to. */
  PropagateNumaAffinity?: boolean;
}

/** Codec of {@linkcode VirtualPciDevice}. */
export const VirtualPciDevice: ObjectCodec<VirtualPciDevice> = object(
  "VirtualPciDevice",
  {
    Functions: filled(list(VirtualPciFunction)),
    PropagateNumaAffinity: filled(boolean),
  },
);

/** Who may use one service. */
export interface HvSocketServiceConfig {
  /** SDDL. */
  BindSecurityDescriptor?: string;
  /** SDDL. */
  ConnectSecurityDescriptor?: string;
  /** A listener that names no VM serves this VM too. */
  AllowWildcardBinds?: boolean;
  /** The service takes no connections. */
  Disabled?: boolean;
}

/** Codec of {@linkcode HvSocketServiceConfig}. */
export const HvSocketServiceConfig: ObjectCodec<HvSocketServiceConfig> = object(
  "HvSocketServiceConfig",
  {
    BindSecurityDescriptor: filled(string),
    ConnectSecurityDescriptor: filled(string),
    AllowWildcardBinds: filled(boolean),
    Disabled: filled(boolean),
  },
);

/** Who may use which socket. */
export interface HvSocketConfig {
  /** SDDL. */
  DefaultBindSecurityDescriptor?: string;
  /** SDDL. */
  DefaultConnectSecurityDescriptor?: string;
  /** By GUID of the service. */
  ServiceTable?: Record<string, HvSocketServiceConfig>;
}

/** Codec of {@linkcode HvSocketConfig}. */
export const HvSocketConfig: ObjectCodec<HvSocketConfig> = object(
  "HvSocketConfig",
  {
    DefaultBindSecurityDescriptor: filled(string),
    DefaultConnectSecurityDescriptor: filled(string),
    ServiceTable: filled(map(HvSocketServiceConfig)),
  },
);

/** Hyper-V sockets. */
export interface HvSocket {
  /** Rules for all services, and for single ones. */
  HvSocketConfig?: HvSocketConfig;
}

/** Codec of {@linkcode HvSocket}. */
export const HvSocket: ObjectCodec<HvSocket> = object("HvSocket", {
  HvSocketConfig: filled(HvSocketConfig),
});

/** A directory shared over 9p. */
export interface Plan9Share {
  /** Name that the host knows the share by. */
  Name: string;
  /** Name that the guest mounts the share by. */
  AccessName?: string;
  /** Absent in a Remove. */
  Path?: string;
  /** vsock port of the server. */
  Port?: number;
  /**
   * Bits: 1 read-only, 4 Linux metadata, 8 case sensitive, 16 share root
   * identity, 128 restrict file access, 256 unlimited connections.
   */
  Flags?: number;
  /** Names below `Path` that are visible, with flag 128. */
  AllowedFiles?: string[];
}

/** Codec of {@linkcode Plan9Share}. */
export const Plan9Share: ObjectCodec<Plan9Share> = object("Plan9Share", {
  Name: always(string),
  AccessName: filled(string),
  Path: filled(string),
  Port: filled(int32),
  Flags: filled(int32),
  AllowedFiles: filled(list(string)),
});

/** File shares. */
export interface Plan9 {
  /** Shares that are there at boot; others are added later. */
  Shares?: Plan9Share[];
}

/** Codec of {@linkcode Plan9}. */
export const Plan9: ObjectCodec<Plan9> = object("Plan9", {
  Shares: filled(list(Plan9Share)),
});

/** Devices of the VM. */
export interface Devices {
  /** By number. */
  ComPorts?: Record<string, ComPort>;
  /** By GUID of the controller. */
  Scsi?: Record<string, Scsi>;
  /** By GUID of the vmbus device. */
  VirtualPci?: Record<string, VirtualPciDevice>;
  /** Who may use Hyper-V sockets of the VM. */
  HvSocket?: HvSocket;
  /** Its presence attaches the file-sharing device. */
  Plan9?: Plan9;
}

/** Codec of {@linkcode Devices}. */
export const Devices: ObjectCodec<Devices> = object("Devices", {
  ComPorts: filled(map(ComPort)),
  Scsi: filled(map(Scsi)),
  VirtualPci: filled(map(VirtualPciDevice)),
  HvSocket: filled(HvSocket),
  Plan9: filled(Plan9),
});

/** A network adapter; the same for Remove. */
export interface NetworkAdapter {
  /** GUID. */
  EndpointId?: string;
  /** Six bytes in hexadecimal with dashes, as HCN gives it. */
  MacAddress?: string;
}

/** Codec of {@linkcode NetworkAdapter}. */
export const NetworkAdapter: ObjectCodec<NetworkAdapter> = object(
  "NetworkAdapter",
  {
    EndpointId: filled(string),
    MacAddress: filled(string),
  },
);

/** Version of a document. */
export interface Version {
  /** Counts incompatible changes. */
  Major: number;
  /** Counts additions. */
  Minor: number;
}

/** Codec of {@linkcode Version}. */
export const Version: ObjectCodec<Version> = object("Version", {
  Major: always(uint32),
  Minor: always(uint32),
});

/** What the firmware loads. */
export interface UefiBootEntry {
  /**
   * Where the firmware loads from; here always `VmbFs`, a directory of the host.
   * One of `ScsiDrive`, `VmbFs`, `Network`, `File`.
   */
  DeviceType: string;
  /** Path on that device, such as `\kernel`. */
  DevicePath?: string;
  /** Directory of the host. */
  VmbFsRootPath?: string;
  /** The kernel command line. */
  OptionalData?: string;
}

/** Codec of {@linkcode UefiBootEntry}. */
export const UefiBootEntry: ObjectCodec<UefiBootEntry> = object(
  "UefiBootEntry",
  {
    DeviceType: always(oneOf("ScsiDrive", "VmbFs", "Network", "File")),
    DevicePath: filled(string),
    VmbFsRootPath: filled(string),
    OptionalData: filled(string),
  },
);

/** Boot through firmware. */
export interface Uefi {
  /** What is booted; absent when the guest state says it. */
  BootThis?: UefiBootEntry;
  /** Whether `SecureBootTemplateId` applies. One of `Skip`, `Apply`. */
  ApplySecureBootTemplate?: string;
  /** GUID. */
  SecureBootTemplateId?: string;
}

/** Codec of {@linkcode Uefi}. */
export const Uefi: ObjectCodec<Uefi> = object("Uefi", {
  BootThis: filled(UefiBootEntry),
  ApplySecureBootTemplate: filled(oneOf("Skip", "Apply")),
  SecureBootTemplateId: filled(string),
});

/** Boot of a Linux kernel without firmware. */
export interface LinuxKernelDirect {
  /** Path of the kernel on the host. */
  KernelFilePath: string;
  /** Absent when the root file system is a disk. */
  InitRdPath?: string;
  /** Command line of the kernel; what follows `--` goes to init. */
  KernelCmdLine?: string;
}

/** Codec of {@linkcode LinuxKernelDirect}. */
export const LinuxKernelDirect: ObjectCodec<LinuxKernelDirect> = object(
  "LinuxKernelDirect",
  {
    KernelFilePath: always(string),
    InitRdPath: filled(string),
    KernelCmdLine: filled(string),
  },
);

/** How the VM boots: one of the two. */
export interface Chipset {
  /** Through firmware. */
  Uefi?: Uefi;
  /** Straight into a kernel. */
  LinuxKernelDirect?: LinuxKernelDirect;
}

/** Codec of {@linkcode Chipset}. */
export const Chipset: ObjectCodec<Chipset> = object("Chipset", {
  Uefi: filled(Uefi),
  LinuxKernelDirect: filled(LinuxKernelDirect),
});

/** Memory of the VM. */
export interface Memory {
  /** Even. */
  SizeInMB?: bigint;
  /** Backed by the page file; otherwise by physical memory. */
  AllowOvercommit?: boolean;
  /** Only with overcommit. */
  EnableDeferredCommit?: boolean;
  /** The guest tells the host of pages that it no longer needs. */
  EnableColdDiscardHint?: boolean;
  /** Size of the MMIO range below 4 GB. */
  LowMmioGapInMB?: bigint;
  /** Where the MMIO range above 4 GB begins. */
  HighMmioBaseInMB?: bigint;
  /** Size of the MMIO range above 4 GB. */
  HighMmioGapInMB?: bigint;
  /**
   * How distances between NUMA nodes are found. One of `None`, `Firmware`,
   * `Measured`, `FirmwareFallbackMeasured`.
   */
  SlitType?: string;
}

/** Codec of {@linkcode Memory}. */
export const Memory: ObjectCodec<Memory> = object("Memory", {
  SizeInMB: filled(uint64),
  AllowOvercommit: filled(boolean),
  EnableDeferredCommit: filled(boolean),
  EnableColdDiscardHint: filled(boolean),
  LowMmioGapInMB: filled(uint64),
  HighMmioBaseInMB: filled(uint64),
  HighMmioGapInMB: filled(uint64),
  SlitType: filled(
    oneOf("None", "Firmware", "Measured", "FirmwareFallbackMeasured"),
  ),
});

/** A CPU group of the host. */
export interface CpuGroup {
  /** GUID of the group. */
  Id: string;
}

/** Codec of {@linkcode CpuGroup}. */
export const CpuGroup: ObjectCodec<CpuGroup> = object("CpuGroup", {
  Id: always(string),
});

/** Processors per virtual node. */
export interface CountPerNode {
  /** Most processors of one virtual node. */
  max?: number;
}

/** Codec of {@linkcode CountPerNode}. */
export const CountPerNode: ObjectCodec<CountPerNode> = object("CountPerNode", {
  max: filled(uint32),
});

/** Implicit NUMA; the names are snake case on the wire. */
export interface NumaProcessorsSettings {
  /** Processors of one virtual node. */
  count_per_node?: CountPerNode;
  /** Virtual nodes of one virtual socket; never sent. */
  node_per_socket?: number;
}

/** Codec of {@linkcode NumaProcessorsSettings}. */
export const NumaProcessorsSettings: ObjectCodec<NumaProcessorsSettings> =
  object("NumaProcessorsSettings", {
    count_per_node: filled(CountPerNode),
    node_per_socket: filled(uint32),
  });

/** Processors of the VM. */
export interface Processor {
  /** Number of virtual processors, at most the logical ones of the host. */
  Count: number;
  /** Hundredths of a percent of the host, as HCS counts. */
  Limit?: number;
  /** Share against other VMs. */
  Weight?: number;
  /** Group of the host whose limits apply; excludes a resource partition. */
  CpuGroup?: CpuGroup;
  /** How processors are spread over virtual nodes; only with implicit NUMA. */
  NumaProcessorsSettings?: NumaProcessorsSettings;
}

/** Codec of {@linkcode Processor}. */
export const Processor: ObjectCodec<Processor> = object("Processor", {
  Count: always(uint32),
  Limit: filled(uint32),
  Weight: filled(uint32),
  CpuGroup: filled(CpuGroup),
  NumaProcessorsSettings: filled(NumaProcessorsSettings),
});

/** One virtual node. */
export interface NumaSetting {
  /** Number of the virtual node, at most 64. */
  VirtualNodeNumber?: number;
  /** 255 is any. */
  PhysicalNodeNumber?: number;
  /** Number of the virtual socket; here that of the node. */
  VirtualSocketNumber?: number;
  /** Processors of the node; those of all nodes are those of the VM. */
  CountOfProcessors?: number;
  /** MB. */
  CountOfMemoryBlocks?: bigint;
  /**
   * What backs the memory of the node; here always `Physical`. One of `Virtual`,
   * `Physical`, `Hybrid`.
   */
  MemoryBackingType?: string;
}

/** Codec of {@linkcode NumaSetting}. */
export const NumaSetting: ObjectCodec<NumaSetting> = object("NumaSetting", {
  VirtualNodeNumber: filled(uint32),
  PhysicalNodeNumber: filled(uint32),
  VirtualSocketNumber: filled(uint32),
  CountOfProcessors: filled(uint32),
  CountOfMemoryBlocks: filled(uint64),
  MemoryBackingType: filled(oneOf("Virtual", "Physical", "Hybrid")),
});

/** Virtual NUMA. */
export interface Numa {
  /** Number of virtual nodes, when `Settings` names them. */
  VirtualNodeCount?: number;
  /** Numbers of the host's nodes to take memory and processors of. */
  PreferredPhysicalNodes?: number[];
  /** One element per virtual node; absent when the host spreads them itself. */
  Settings?: NumaSetting[];
  /** MB. */
  MaxSizePerNode?: bigint;
}

/** Codec of {@linkcode Numa}. */
export const Numa: ObjectCodec<Numa> = object("Numa", {
  VirtualNodeCount: filled(uint32),
  PreferredPhysicalNodes: filled(list(uint32)),
  Settings: filled(list(NumaSetting)),
  MaxSizePerNode: filled(uint64),
});

/** Processors and memory. */
export interface ComputeTopology {
  /** Size of the memory, and what backs it. */
  Memory: Memory;
  /** Number of the processors, and their limits. */
  Processor: Processor;
  /** Virtual NUMA nodes; absent is one node. */
  Numa?: Numa;
}

/** Codec of {@linkcode ComputeTopology}. */
export const ComputeTopology: ObjectCodec<ComputeTopology> = object(
  "ComputeTopology",
  {
    Memory: always(Memory),
    Processor: always(Processor),
    Numa: filled(Numa),
  },
);

/** Limits of all disks together. */
export interface StorageQoS {
  /** Operations per second. */
  IopsMaximum?: number;
  /** Bytes per second. */
  BandwidthMaximum?: number;
}

/** Codec of {@linkcode StorageQoS}. */
export const StorageQoS: ObjectCodec<StorageQoS> = object("StorageQoS", {
  IopsMaximum: filled(int32),
  BandwidthMaximum: filled(int32),
});

/** State of the firmware. */
export interface GuestState {
  /** Path of the `.vmgs` file on the host. */
  GuestStateFilePath?: string;
  /** For example `FileMode`. */
  GuestStateFileType?: string;
  /** Changes are not written back. */
  ForceTransientState?: boolean;
}

/** Codec of {@linkcode GuestState}. */
export const GuestState: ObjectCodec<GuestState> = object("GuestState", {
  GuestStateFilePath: filled(string),
  GuestStateFileType: filled(string),
  ForceTransientState: filled(boolean),
});

/** How memory is protected from the host. */
export interface Isolation {
  /** For example `SecureNestedPaging`. */
  IsolationType?: string;
  /** Base64 of the hash of the policy. */
  LaunchData?: string;
  /** Sent even when it is false. */
  HclEnabled?: boolean;
}

/** Codec of {@linkcode Isolation}. */
export const Isolation: ObjectCodec<Isolation> = object("Isolation", {
  IsolationType: filled(string),
  LaunchData: filled(string),
  HclEnabled: whenSet(boolean),
});

/** Isolation of the VM. */
export interface SecuritySettings {
  /** The VM has a virtual TPM; here never. */
  EnableTpm?: boolean;
  /** How memory is protected from the host. */
  Isolation?: Isolation;
}

/** Codec of {@linkcode SecuritySettings}. */
export const SecuritySettings: ObjectCodec<SecuritySettings> = object(
  "SecuritySettings",
  {
    EnableTpm: filled(boolean),
    Isolation: filled(Isolation),
  },
);

/** The VM. */
export interface VirtualMachine {
  /** A reset from inside ends the VM. */
  StopOnReset?: boolean;
  /** How the VM boots. */
  Chipset: Chipset;
  /** Memory, processors and NUMA nodes. */
  ComputeTopology: ComputeTopology;
  /** Disks, sockets, shares and devices at boot. */
  Devices?: Devices;
  /** Limits of the disks; absent is none. */
  StorageQoS?: StorageQoS;
  /** GUID; excludes a CPU group. */
  ResourcePartitionId?: string;
  /** State that the firmware starts from; only for a confidential VM. */
  GuestState?: GuestState;
  /** Isolation from the host; only for a confidential VM. */
  SecuritySettings?: SecuritySettings;
  /** Only for the destination of a live migration. */
  MigrationOptions?: JsonObject;
}

/** Codec of {@linkcode VirtualMachine}. */
export const VirtualMachine: ObjectCodec<VirtualMachine> = object(
  "VirtualMachine",
  {
    StopOnReset: filled(boolean),
    Chipset: always(Chipset),
    ComputeTopology: always(ComputeTopology),
    Devices: filled(Devices),
    StorageQoS: filled(StorageQoS),
    ResourcePartitionId: filled(string),
    GuestState: filled(GuestState),
    SecuritySettings: filled(SecuritySettings),
    MigrationOptions: filled(jsonObject),
  },
);

/** A compute system: here always a utility VM. */
export interface ComputeSystemDocument {
  /** Who created it; machine-wide lists are filtered by it. */
  Owner: string;
  /** 2.1; 2.5 for a confidential VM. */
  SchemaVersion: Version;
  /** The VM ends with its creator. */
  ShouldTerminateOnLastHandleClosed?: boolean;
  /** The VM itself. */
  VirtualMachine: VirtualMachine;
}

/** Codec of {@linkcode ComputeSystemDocument}. */
export const ComputeSystemDocument: ObjectCodec<ComputeSystemDocument> = object(
  "ComputeSystemDocument",
  {
    Owner: always(string),
    SchemaVersion: always(Version),
    ShouldTerminateOnLastHandleClosed: filled(boolean),
    VirtualMachine: always(VirtualMachine),
  },
);

/** What HcsModifyComputeSystem takes. */
export interface ModifySettingRequest {
  /** For example `VirtualMachine/Devices/Scsi/<guid>/Attachments/<lun>`. */
  ResourcePath: string;
  /** Absent for processor and memory. One of `Add`, `Remove`, `Update`. */
  RequestType?: string;
  /**
   * A {@linkcode ScsiAttachment}, {@linkcode Plan9Share},
   * {@linkcode NetworkAdapter}, {@linkcode VirtualPciDevice},
   * {@linkcode HvSocketServiceConfig}, {@linkcode ProcessorLimits},
   * {@linkcode CpuGroup} or a number of MB; absent when a disk or PCI device is
   * removed.
   */
  Settings?: Json;
}

/** Codec of {@linkcode ModifySettingRequest}. */
export const ModifySettingRequest: ObjectCodec<ModifySettingRequest> = object(
  "ModifySettingRequest",
  {
    ResourcePath: always(string),
    RequestType: filled(oneOf("Add", "Remove", "Update")),
    Settings: whenSet(json),
  },
);

/** Limits of the processors of a running VM. */
export interface ProcessorLimits {
  /** Most of the host that the VM may use, in the unit of {@linkcode Processor}. */
  Limit?: bigint;
  /** Share against other VMs when processors are scarce. */
  Weight?: bigint;
  /** Part of the host that the VM is guaranteed. */
  Reservation?: bigint;
  /** Highest frequency that the processors aim for. */
  MaximumFrequencyMHz?: bigint;
}

/** Codec of {@linkcode ProcessorLimits}. */
export const ProcessorLimits: ObjectCodec<ProcessorLimits> = object(
  "ProcessorLimits",
  {
    Limit: filled(uint64),
    Weight: filled(uint64),
    Reservation: filled(uint64),
    MaximumFrequencyMHz: filled(uint64),
  },
);

/** What HcsGetComputeSystemProperties and HcsGetServiceProperties take. */
export interface PropertyQuery {
  /**
   * For example `Statistics`, `Memory`, `ProcessorTopology`; none asks for the
   * basic members.
   */
  PropertyTypes?: string[];
}

/** Codec of {@linkcode PropertyQuery}. */
export const PropertyQuery: ObjectCodec<PropertyQuery> = object(
  "PropertyQuery",
  {
    PropertyTypes: filled(list(string)),
  },
);

/** Dynamic memory of a VM. */
export interface VirtualMachineMemory {
  /** Memory that the guest has left, in percent. */
  AvailableMemory?: number;
  /** Buffer that dynamic memory has left, in percent. */
  AvailableMemoryBuffer?: number;
  /** Memory that the host keeps for the VM. */
  ReservedMemory?: bigint;
  /** Pages of 4 KiB. */
  AssignedMemory?: bigint;
  /** The host pages memory of the VM to disk (second level paging). */
  SlpActive?: boolean;
  /** The host moves memory between this VM and others. */
  BalancingEnabled?: boolean;
  /** Dynamic memory is adding or removing memory now. */
  DmOperationInProgress?: boolean;
}

/** Codec of {@linkcode VirtualMachineMemory}. */
export const VirtualMachineMemory: ObjectCodec<VirtualMachineMemory> = object(
  "VirtualMachineMemory",
  {
    AvailableMemory: filled(int32),
    AvailableMemoryBuffer: filled(int32),
    ReservedMemory: filled(uint64),
    AssignedMemory: filled(uint64),
    SlpActive: filled(boolean),
    BalancingEnabled: filled(boolean),
    DmOperationInProgress: filled(boolean),
  },
);

/** Memory of a VM. */
export interface MemoryProperties {
  /** Number of virtual NUMA nodes. */
  VirtualNodeCount?: number;
  /** Memory of all nodes together. */
  VirtualMachineMemory?: VirtualMachineMemory;
}

/** Codec of {@linkcode MemoryProperties}. */
export const MemoryProperties: ObjectCodec<MemoryProperties> = object(
  "MemoryProperties",
  {
    VirtualNodeCount: filled(uint32),
    VirtualMachineMemory: filled(VirtualMachineMemory),
  },
);

/** CPU time. */
export interface ProcessorStatistics {
  /** Units of 100 ns. */
  TotalRuntime100ns?: bigint;
  /** Units of 100 ns. */
  RuntimeUser100ns?: bigint;
  /** Units of 100 ns. */
  RuntimeKernel100ns?: bigint;
}

/** Codec of {@linkcode ProcessorStatistics}. */
export const ProcessorStatistics: ObjectCodec<ProcessorStatistics> = object(
  "ProcessorStatistics",
  {
    TotalRuntime100ns: filled(uint64),
    RuntimeUser100ns: filled(uint64),
    RuntimeKernel100ns: filled(uint64),
  },
);

/** Statistics of a VM. */
export interface StatisticsProperties {
  /** RFC 3339. */
  Timestamp?: string;
  /** RFC 3339. */
  ContainerStartTime?: string;
  /** Units of 100 ns. */
  Uptime100ns?: bigint;
  /** CPU time since the start. */
  Processor?: ProcessorStatistics;
  /** Memory counters; not read. */
  Memory?: JsonObject;
  /** Storage counters; not read. */
  Storage?: JsonObject;
}

/** Codec of {@linkcode StatisticsProperties}. */
export const StatisticsProperties: ObjectCodec<StatisticsProperties> = object(
  "StatisticsProperties",
  {
    Timestamp: filled(string),
    ContainerStartTime: filled(string),
    Uptime100ns: filled(uint64),
    Processor: filled(ProcessorStatistics),
    Memory: filled(jsonObject),
    Storage: filled(jsonObject),
  },
);

/** What HcsGetComputeSystemProperties answers. */
export interface Properties {
  /** Id that the system was created with. */
  Id: string;
  /** `VirtualMachine`. */
  SystemType?: string;
  /** Operating system of the guest, such as `Linux`. */
  RuntimeOsType?: string;
  /** Who created it. */
  Owner?: string;
  /** GUID by which sockets and access grants name the VM. */
  RuntimeId?: string;
  /** Such as `Created`, `Running` and `Stopped`. */
  State?: string;
  /** It has ended; the handle may still be open. */
  Stopped?: boolean;
  /** How it ended, as in {@linkcode ExitPayload}. */
  ExitType?: string;
  /** When the query names `Memory`. */
  Memory?: MemoryProperties;
  /** When the query names `Statistics`. */
  Statistics?: StatisticsProperties;
}

/** Codec of {@linkcode Properties}. */
export const Properties: ObjectCodec<Properties> = object("Properties", {
  Id: always(string),
  SystemType: filled(string),
  RuntimeOsType: filled(string),
  Owner: filled(string),
  RuntimeId: filled(string),
  State: filled(string),
  Stopped: filled(boolean),
  ExitType: filled(string),
  Memory: filled(MemoryProperties),
  Statistics: filled(StatisticsProperties),
});

/** What HcsGetServiceProperties answers: one element per asked property. */
export interface ServiceProperties {
  /** In the order of the query; the type of each follows from it. */
  Properties: Json[];
}

/** Codec of {@linkcode ServiceProperties}. */
export const ServiceProperties: ObjectCodec<ServiceProperties> = object(
  "ServiceProperties",
  {
    Properties: always(list(json)),
  },
);

/** The element for `ProcessorTopology`. */
export interface ProcessorTopology {
  /** Logical processors of the host; no VM gets more. */
  LogicalProcessorCount: number;
  /** One element per processor; not read. */
  LogicalProcessors?: Json[];
}

/** Codec of {@linkcode ProcessorTopology}. */
export const ProcessorTopology: ObjectCodec<ProcessorTopology> = object(
  "ProcessorTopology",
  {
    LogicalProcessorCount: always(uint32),
    LogicalProcessors: filled(list(json)),
  },
);

/** What HcsEnumerateComputeSystems takes; every filter is optional. */
export interface EnumerationQuery {
  /** Only systems with one of these ids. */
  Ids?: string[];
  /** Only systems of one of these types, such as `VirtualMachine`. */
  Types?: string[];
  /** Only systems with one of these names. */
  Names?: string[];
  /** Only systems that one of these created. */
  Owners?: string[];
}

/** Codec of {@linkcode EnumerationQuery}. */
export const EnumerationQuery: ObjectCodec<EnumerationQuery> = object(
  "EnumerationQuery",
  {
    Ids: filled(list(string)),
    Types: filled(list(string)),
    Names: filled(list(string)),
    Owners: filled(list(string)),
  },
);

/** One compute system of an enumeration. */
export interface EnumerationRow {
  /** Id that the system was created with. */
  Id: string;
  /** `VirtualMachine` or `Container`. */
  SystemType?: string;
  /** Name that the creator gave it. */
  Name?: string;
  /** Who created it. */
  Owner?: string;
  /** GUID. */
  RuntimeId?: string;
  /** Such as `Created`, `Running` and `Stopped`. */
  State?: string;
  /** Operating system of the guest, such as `Linux`. */
  RuntimeOsType?: string;
  /** Path of the image that a VM of a container was made of. */
  RuntimeImagePath?: string;
  /** GUID of the silo of a container without a VM. */
  SiloGuid?: string;
  /** It is a template that others are cloned of. */
  IsRuntimeTemplate?: boolean;
  /** It has ended; a handle may still be open. */
  Stopped?: boolean;
  /** How it ended, as in {@linkcode ExitPayload}. */
  ExitType?: string;
}

/** Codec of {@linkcode EnumerationRow}. */
export const EnumerationRow: ObjectCodec<EnumerationRow> = object(
  "EnumerationRow",
  {
    Id: always(string),
    SystemType: filled(string),
    Name: filled(string),
    Owner: filled(string),
    RuntimeId: filled(string),
    State: filled(string),
    RuntimeOsType: filled(string),
    RuntimeImagePath: filled(string),
    SiloGuid: filled(string),
    IsRuntimeTemplate: filled(boolean),
    Stopped: filled(boolean),
    ExitType: filled(string),
  },
);

/** One cause of a failure. */
export interface ErrorEvent {
  /** What went wrong, for people. */
  Message?: string;
  /** Where in the service it happened. */
  StackTrace?: string;
  /** Component that reports it. */
  Provider?: string;
  /** Number of the event in that component. */
  EventId?: number;
  /** Bits of the service; errors show the number. */
  Flags?: number;
  /** Name of the part that failed. */
  Source?: string;
  /** Values of the event; not read. */
  Data?: Json[];
}

/** Codec of {@linkcode ErrorEvent}. */
export const ErrorEvent: ObjectCodec<ErrorEvent> = object("ErrorEvent", {
  Message: filled(string),
  StackTrace: filled(string),
  Provider: filled(string),
  EventId: filled(uint16),
  Flags: filled(uint32),
  Source: filled(string),
  Data: filled(list(json)),
});

/** The result document of a failed call. */
export interface ResultError {
  /** HRESULT, signed. */
  Error?: number;
  /** Text of the failure; the events say more. */
  ErrorMessage?: string;
  /** Causes, for the text of the error. */
  ErrorEvents?: ErrorEvent[];
}

/** Codec of {@linkcode ResultError}. */
export const ResultError: ObjectCodec<ResultError> = object("ResultError", {
  Error: filled(int32),
  ErrorMessage: filled(string),
  ErrorEvents: filled(list(ErrorEvent)),
});

/** How a compute system ended. */
export interface ExitPayload {
  /** HRESULT, signed; 0 is a clean end. */
  Status?: number;
  /**
   * A shutdown, a termination, or neither. One of `GracefulExit`, `ForcedExit`,
   * `UnexpectedExit`.
   */
  ExitType?: string;
  /** Who or what ended it; not read. */
  Attribution?: Json[];
}

/** Codec of {@linkcode ExitPayload}. */
export const ExitPayload: ObjectCodec<ExitPayload> = object("ExitPayload", {
  Status: filled(int32),
  ExitType: filled(oneOf("GracefulExit", "ForcedExit", "UnexpectedExit")),
  Attribution: filled(list(json)),
});
