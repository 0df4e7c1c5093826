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
  NamedPipe: string;
}

/** Codec of {@linkcode ComPort}. */
export const ComPort: ObjectCodec<ComPort> = object("ComPort", {
  NamedPipe: always(string),
});

/** A disk on a SCSI controller. */
export interface ScsiAttachment {
  /** One of `VirtualDisk`, `PassThru`, `ExtensibleVirtualDisk`. */
  Type: string;
  Path: string;
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
export interface ScsiController {
  /** By LUN. */
  Attachments?: Record<string, ScsiAttachment>;
}

/** Codec of {@linkcode ScsiController}. */
export const ScsiController: ObjectCodec<ScsiController> = object(
  "ScsiController",
  {
    Attachments: filled(map(ScsiAttachment)),
  },
);

/** One function of an assigned device. */
export interface VirtualPciFunction {
  DeviceInstancePath: string;
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
  Functions?: VirtualPciFunction[];
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
  AllowWildcardBinds?: boolean;
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
  HvSocketConfig?: HvSocketConfig;
}

/** Codec of {@linkcode HvSocket}. */
export const HvSocket: ObjectCodec<HvSocket> = object("HvSocket", {
  HvSocketConfig: filled(HvSocketConfig),
});

/** A directory shared over 9p. */
export interface Plan9Share {
  Name: string;
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
  Scsi?: Record<string, ScsiController>;
  /** By GUID of the vmbus device. */
  VirtualPci?: Record<string, VirtualPciDevice>;
  HvSocket?: HvSocket;
  /** Its presence attaches the file-sharing device. */
  Plan9?: Plan9;
}

/** Codec of {@linkcode Devices}. */
export const Devices: ObjectCodec<Devices> = object("Devices", {
  ComPorts: filled(map(ComPort)),
  Scsi: filled(map(ScsiController)),
  VirtualPci: filled(map(VirtualPciDevice)),
  HvSocket: filled(HvSocket),
  Plan9: filled(Plan9),
});

/** A network adapter; the same for Remove. */
export interface NetworkAdapter {
  /** GUID. */
  EndpointId?: string;
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
export interface SchemaVersion {
  Major: number;
  Minor: number;
}

/** Codec of {@linkcode SchemaVersion}. */
export const SchemaVersion: ObjectCodec<SchemaVersion> = object(
  "SchemaVersion",
  {
    Major: always(uint32),
    Minor: always(uint32),
  },
);

/** What the firmware loads. */
export interface UefiBootEntry {
  /** One of `ScsiDrive`, `VmbFs`, `Network`, `File`. */
  DeviceType: string;
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
  BootThis?: UefiBootEntry;
  /** One of `Skip`, `Apply`. */
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
  KernelFilePath: string;
  /** Absent when the root file system is a disk. */
  InitRdPath?: string;
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
  Uefi?: Uefi;
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
  EnableColdDiscardHint?: boolean;
  LowMmioGapInMB?: bigint;
  HighMmioBaseInMB?: bigint;
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
  Id: string;
}

/** Codec of {@linkcode CpuGroup}. */
export const CpuGroup: ObjectCodec<CpuGroup> = object("CpuGroup", {
  Id: always(string),
});

/** Processors per virtual node. */
export interface CountPerNode {
  max?: number;
}

/** Codec of {@linkcode CountPerNode}. */
export const CountPerNode: ObjectCodec<CountPerNode> = object("CountPerNode", {
  max: filled(uint32),
});

/** Implicit NUMA; the names are snake case on the wire. */
export interface NumaProcessorsSettings {
  count_per_node?: CountPerNode;
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
  Count: number;
  /** Hundredths of a percent of the host, as HCS counts. */
  Limit?: number;
  /** Share against other VMs. */
  Weight?: number;
  CpuGroup?: CpuGroup;
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
  VirtualNodeNumber?: number;
  /** 255 is any. */
  PhysicalNodeNumber?: number;
  VirtualSocketNumber?: number;
  CountOfProcessors?: number;
  /** MB. */
  CountOfMemoryBlocks?: bigint;
  /** One of `Virtual`, `Physical`, `Hybrid`. */
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
  VirtualNodeCount?: number;
  PreferredPhysicalNodes?: number[];
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
  Memory: Memory;
  Processor: Processor;
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
  EnableTpm?: boolean;
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
  Chipset: Chipset;
  ComputeTopology: ComputeTopology;
  Devices?: Devices;
  StorageQoS?: StorageQoS;
  /** GUID; excludes a CPU group. */
  ResourcePartitionId?: string;
  GuestState?: GuestState;
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
  SchemaVersion: SchemaVersion;
  /** The VM ends with its creator. */
  ShouldTerminateOnLastHandleClosed?: boolean;
  VirtualMachine: VirtualMachine;
}

/** Codec of {@linkcode ComputeSystemDocument}. */
export const ComputeSystemDocument: ObjectCodec<ComputeSystemDocument> = object(
  "ComputeSystemDocument",
  {
    Owner: always(string),
    SchemaVersion: always(SchemaVersion),
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
  Limit?: bigint;
  Weight?: bigint;
  Reservation?: bigint;
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
  AvailableMemory?: number;
  AvailableMemoryBuffer?: number;
  ReservedMemory?: bigint;
  /** Pages of 4 KiB. */
  AssignedMemory?: bigint;
  SlpActive?: boolean;
  BalancingEnabled?: boolean;
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
  VirtualNodeCount?: number;
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
  Processor?: ProcessorStatistics;
  Memory?: JsonObject;
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
  Id: string;
  /** `VirtualMachine`. */
  SystemType?: string;
  RuntimeOsType?: string;
  Owner?: string;
  /** GUID by which sockets and access grants name the VM. */
  RuntimeId?: string;
  State?: string;
  Stopped?: boolean;
  ExitType?: string;
  Memory?: MemoryProperties;
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
  LogicalProcessorCount: number;
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
  Ids?: string[];
  Types?: string[];
  Names?: string[];
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
  Id: string;
  SystemType?: string;
  Name?: string;
  Owner?: string;
  /** GUID. */
  RuntimeId?: string;
  State?: string;
  RuntimeOsType?: string;
  RuntimeImagePath?: string;
  SiloGuid?: string;
  IsRuntimeTemplate?: boolean;
  Stopped?: boolean;
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
  Message?: string;
  StackTrace?: string;
  Provider?: string;
  EventId?: number;
  Flags?: number;
  Source?: string;
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
  ErrorMessage?: string;
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
  /** One of `GracefulExit`, `ForcedExit`, `UnexpectedExit`. */
  ExitType?: string;
  Attribution?: Json[];
}

/** Codec of {@linkcode ExitPayload}. */
export const ExitPayload: ObjectCodec<ExitPayload> = object("ExitPayload", {
  Status: filled(int32),
  ExitType: filled(oneOf("GracefulExit", "ForcedExit", "UnexpectedExit")),
  Attribution: filled(list(json)),
});
