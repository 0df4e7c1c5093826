/**
 * Every message of the bridge between host and guest. Generated from
 * `schema/bridge` by `deno task codegen`; do not edit.
 *
 * @module
 */

import {
  boolean,
  int32,
  json,
  jsonObject,
  nothing,
  string,
  uint16,
  uint32,
  uint64,
  uint8,
} from "../base/codec.ts";
import {
  always,
  filled,
  jsonText,
  list,
  map,
  object,
  type ObjectCodec,
  oneOf,
  whenSet,
} from "../base/codec_shapes.ts";
import type { Json, JsonObject } from "../base/json.ts";

/**
 * What every request carries; requests without a body of their own are just
 * this (Start, ShutdownGraceful, ShutdownForced, DumpStacks,
 * DeleteContainerState).
 */
export interface RequestBase {
  /**
   * Target container; the all-zero GUID is the VM itself; empty in
   * NegotiateProtocol.
   */
  ContainerId: string;
  /** GUID that the response repeats verbatim; opaque to the guest. */
  ActivityId: string;
  /** W3C trace context: `traceparent`, and `tracestate` when there is one. */
  otsc?: Record<string, string>;
}

/** Codec of {@linkcode RequestBase}. */
export const RequestBase: ObjectCodec<RequestBase> = object("RequestBase", {
  ContainerId: always(string),
  ActivityId: always(string),
  otsc: filled(map(string)),
});

/** One failure, as the guest describes it. */
export interface ErrorRecord {
  /** HRESULT, signed. */
  Result: number;
  /** What failed. */
  Message: string;
  /** Where, over several lines. */
  StackTrace?: string;
  /** The failing program, `gcs` for the guest agent. */
  ModuleName: string;
  /** Source file; empty when unknown. */
  FileName: string;
  /** Source line; 4294967295 when unknown. */
  Line: number;
  /** Source function. */
  FunctionName?: string;
}

/** Codec of {@linkcode ErrorRecord}. */
export const ErrorRecord: ObjectCodec<ErrorRecord> = object("ErrorRecord", {
  Result: always(int32),
  Message: always(string),
  StackTrace: filled(string),
  ModuleName: always(string),
  FileName: always(string),
  Line: always(uint32),
  FunctionName: filled(string),
});

/** What every response carries; a failed call has nothing else. */
export interface ResponseBase {
  /** HRESULT, signed; 0 is success. */
  Result: number;
  /** GUID of the request. Left out when empty: a host parses it. */
  ActivityId?: string;
  /** The whole error text, for people. */
  ErrorMessage?: string;
  /** Normally one on failure. */
  ErrorRecords?: ErrorRecord[];
}

/** Codec of {@linkcode ResponseBase}. */
export const ResponseBase: ObjectCodec<ResponseBase> = object("ResponseBase", {
  Result: always(int32),
  ActivityId: filled(string),
  ErrorMessage: filled(string),
  ErrorRecords: filled(list(ErrorRecord)),
});

/** Version of a document. */
export interface SchemaVersion {
  /** Counts incompatible changes; compared before `Minor`. */
  Major: number;
  /** Counts changes that older readers understand. */
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

/** Versions that the host speaks; ignored by guests. */
export interface VersionRange {
  /** Oldest version of the document, as text. */
  MinimumVersion?: string;
  /** Newest version of the document, as text. */
  MaximumVersion?: string;
  /** Oldest version of the bridge. */
  MinimumProtocolVersion?: number;
  /** Newest version of the bridge. */
  MaximumProtocolVersion?: number;
}

/** Codec of {@linkcode VersionRange}. */
export const VersionRange: ObjectCodec<VersionRange> = object("VersionRange", {
  MinimumVersion: filled(string),
  MaximumVersion: filled(string),
  MinimumProtocolVersion: filled(uint32),
  MaximumProtocolVersion: filled(uint32),
});

/** Creates a container up to the state "created". */
export interface CreateRequest extends RequestBase {
  /** For the null container a {@linkcode NullContainerDocument}. */
  ContainerConfig: string;
  /** What the host could speak instead; a guest ignores it. */
  SupportedVersions?: VersionRange;
}

/** Codec of {@linkcode CreateRequest}. */
export const CreateRequest: ObjectCodec<CreateRequest> = object(
  "CreateRequest",
  {
    ...RequestBase.members,
    ContainerConfig: always(jsonText(() => ContainerDocument)),
    SupportedVersions: filled(VersionRange),
  },
);

/** Answers a create. */
export interface CreateResponse extends ResponseBase {
  /** Never set. */
  SelectedVersion?: string;
  /** Always 0. */
  SelectedProtocolVersion: number;
}

/** Codec of {@linkcode CreateResponse}. */
export const CreateResponse: ObjectCodec<CreateResponse> = object(
  "CreateResponse",
  {
    ...ResponseBase.members,
    SelectedVersion: filled(string),
    SelectedProtocolVersion: always(uint32),
  },
);

/** A container, as the host describes it to the guest. */
export interface ContainerDocument {
  /** At least 2.1. */
  SchemaVersion: SchemaVersion;
  /** Directory in the guest for config.json and the root file system. */
  OciBundlePath: string;
  /** OCI runtime specification, passed through unchanged. */
  OciSpecification: JsonObject;
  /** Directory in the guest for this container's writable layer. */
  ScratchDirPath: string;
}

/** Codec of {@linkcode ContainerDocument}. */
export const ContainerDocument: ObjectCodec<ContainerDocument> = object(
  "ContainerDocument",
  {
    SchemaVersion: always(SchemaVersion),
    OciBundlePath: always(string),
    OciSpecification: always(jsonObject),
    ScratchDirPath: always(string),
  },
);

/** Stands for the VM itself; only for guests that ask for it. */
export interface NullContainerDocument {
  /** `Container`. */
  SystemType: string;
  /** Present and null. */
  TimeZoneInformation: null;
}

/** Codec of {@linkcode NullContainerDocument}. */
export const NullContainerDocument: ObjectCodec<NullContainerDocument> = object(
  "NullContainerDocument",
  {
    SystemType: always(string),
    TimeZoneInformation: always(nothing),
  },
);

/** A container has ended; exactly one per successful create. */
export interface ContainerNotification {
  /**
   * That of the create request. A host ends the connection when it does not know
   * it.
   */
  ContainerId: string;
  /** That of the create request. */
  ActivityId: string;
  /**
   * Why it ended. One of `None`, `GracefulExit`, `ForcedExit`, `UnexpectedExit`,
   * `Reboot`, `Constructed`, `Started`, `Paused`, `Unknown`.
   */
  Type: string;
  /**
   * What was under way; `None` in practice. One of `None`, `Construct`, `Start`,
   * `Pause`, `Resume`, `Shutdown`, `Terminate`.
   */
  Operation: string;
  /** HRESULT, signed; 0 in practice. */
  Result: number;
  /** JSON text; never sent empty: a host parses it. */
  ResultInfo?: string;
  /** W3C trace context; never set by a guest. */
  otsc?: Record<string, string>;
}

/** Codec of {@linkcode ContainerNotification}. */
export const ContainerNotification: ObjectCodec<ContainerNotification> = object(
  "ContainerNotification",
  {
    ContainerId: always(string),
    ActivityId: always(string),
    Type: always(
      oneOf(
        "None",
        "GracefulExit",
        "ForcedExit",
        "UnexpectedExit",
        "Reboot",
        "Constructed",
        "Started",
        "Paused",
        "Unknown",
      ),
    ),
    Operation: always(
      oneOf(
        "None",
        "Construct",
        "Start",
        "Pause",
        "Resume",
        "Shutdown",
        "Terminate",
      ),
    ),
    Result: always(int32),
    ResultInfo: filled(string),
    otsc: filled(map(string)),
  },
);

/**
 * One change. A Remove repeats the settings of its Add unless its resource
 * says otherwise.
 */
export interface ModifyRequest {
  /**
   * Decides the type of `Settings`. One of `SCSIDevice`, `MappedVirtualDisk`,
   * `MappedDirectory`, `VPMemDevice`, `CombinedLayers`, `Network`, `VPCIDevice`,
   * `ContainerConstraints`, `SecurityPolicy`, `SecurityPolicyFragment`,
   * `PodCgroupMemoryLimit`.
   */
  ResourceType: string;
  /** Empty means `Add`. One of `Add`, `Remove`, `Update`, `PreAdd`. */
  RequestType: string;
  /**
   * Of the type that `ResourceType` names (`Network`:
   * {@linkcode NetworkAdapter}); absent for PodCgroupMemoryLimit.
   */
  Settings?: Json;
}

/** Codec of {@linkcode ModifyRequest}. */
export const ModifyRequest: ObjectCodec<ModifyRequest> = object(
  "ModifyRequest",
  {
    ResourceType: always(
      oneOf(
        "SCSIDevice",
        "MappedVirtualDisk",
        "MappedDirectory",
        "VPMemDevice",
        "CombinedLayers",
        "Network",
        "VPCIDevice",
        "ContainerConstraints",
        "SecurityPolicy",
        "SecurityPolicyFragment",
        "PodCgroupMemoryLimit",
      ),
    ),
    RequestType: always(oneOf("Add", "Remove", "Update", "PreAdd")),
    Settings: whenSet(json),
  },
);

/** Changes a resource of the VM (null container) or of a container. */
export interface ModifySettingsRequest extends RequestBase {
  /** Its absence is an error. */
  Request?: ModifyRequest;
}

/** Codec of {@linkcode ModifySettingsRequest}. */
export const ModifySettingsRequest: ObjectCodec<ModifySettingsRequest> = object(
  "ModifySettingsRequest",
  {
    ...RequestBase.members,
    Request: filled(ModifyRequest),
  },
);

/** A SCSI disk to unplug. */
export interface SCSIDevice {
  /** Index of the controller, 0 to 3. */
  Controller?: number;
  /** Slot of the disk on its controller, 0 to 63. */
  Lun?: number;
}

/** Codec of {@linkcode SCSIDevice}. */
export const SCSIDevice: ObjectCodec<SCSIDevice> = object("SCSIDevice", {
  Controller: filled(uint8),
  Lun: filled(uint8),
});

/** A SCSI disk to mount. */
export interface MappedVirtualDisk {
  /** Empty: nothing is mounted. */
  MountPath?: string;
  /** Slot of the disk on its controller, 0 to 63. */
  Lun?: number;
  /** Index of the controller, 0 to 3. */
  Controller?: number;
  /** 0 is the whole disk. */
  Partition?: bigint;
  /** The file system is mounted read-only. */
  ReadOnly?: boolean;
  /** dm-crypt with integrity. */
  Encrypted?: boolean;
  /** Mount options; only propagation words have an effect. */
  Options?: string[];
  /** A link to the device instead of a mount. */
  BlockDev?: boolean;
  /** Format when there is another file system. */
  EnsureFilesystem?: boolean;
  /** `ext4`, `xfs` or empty. */
  Filesystem?: string;
}

/** Codec of {@linkcode MappedVirtualDisk}. */
export const MappedVirtualDisk: ObjectCodec<MappedVirtualDisk> = object(
  "MappedVirtualDisk",
  {
    MountPath: filled(string),
    Lun: filled(uint8),
    Controller: filled(uint8),
    Partition: filled(uint64),
    ReadOnly: filled(boolean),
    Encrypted: filled(boolean),
    Options: filled(list(string)),
    BlockDev: filled(boolean),
    EnsureFilesystem: filled(boolean),
    Filesystem: filled(string),
  },
);

/** A 9p share to mount. */
export interface MappedDirectory {
  /** Where the guest mounts the share. */
  MountPath?: string;
  /** vsock port of the share server. */
  Port?: number;
  /** Name by which the host serves the share (`aname` of 9p). */
  ShareName?: string;
  /** The share is mounted read-only. */
  ReadOnly?: boolean;
}

/** Codec of {@linkcode MappedDirectory}. */
export const MappedDirectory: ObjectCodec<MappedDirectory> = object(
  "MappedDirectory",
  {
    MountPath: filled(string),
    Port: filled(int32),
    ShareName: filled(string),
    ReadOnly: filled(boolean),
  },
);

/** A part of a persistent memory device. */
export interface VPMemMappingInfo {
  /** Where on the device the part begins. */
  DeviceOffsetInBytes?: bigint;
  /** How long the part is. */
  DeviceSizeInBytes?: bigint;
}

/** Codec of {@linkcode VPMemMappingInfo}. */
export const VPMemMappingInfo: ObjectCodec<VPMemMappingInfo> = object(
  "VPMemMappingInfo",
  {
    DeviceOffsetInBytes: filled(uint64),
    DeviceSizeInBytes: filled(uint64),
  },
);

/** A persistent memory device to mount. */
export interface VPMemDevice {
  /** N of `/dev/pmemN`. */
  DeviceNumber?: number;
  /** Where the guest mounts it. */
  MountPath?: string;
  /** The part to mount; absent means the whole device. */
  MappingInfo?: VPMemMappingInfo;
}

/** Codec of {@linkcode VPMemDevice}. */
export const VPMemDevice: ObjectCodec<VPMemDevice> = object("VPMemDevice", {
  DeviceNumber: filled(uint32),
  MountPath: filled(string),
  MappingInfo: filled(VPMemMappingInfo),
});

/** One read-only layer of an overlay. */
export interface Layer {
  /** Name of the layer; neither sent nor read for Linux. */
  Id?: string;
  /** Where it is mounted in the guest. */
  Path?: string;
  /** Kind of `Path`; neither sent nor read for Linux. */
  PathType?: string;
  /** Caching of the layer; neither sent nor read for Linux. */
  Cache?: string;
}

/** Codec of {@linkcode Layer}. */
export const Layer: ObjectCodec<Layer> = object("Layer", {
  Id: filled(string),
  Path: filled(string),
  PathType: filled(string),
  Cache: filled(string),
});

/** An overlay of layers. */
export interface CombinedLayers {
  /** The container whose root file system this is. */
  ContainerID?: string;
  /** Where the overlay is mounted. */
  ContainerRootPath?: string;
  /** Topmost first. */
  Layers?: Layer[];
  /** Holds the writable layer; empty makes the overlay read-only. */
  ScratchPath?: string;
}

/** Codec of {@linkcode CombinedLayers}. */
export const CombinedLayers: ObjectCodec<CombinedLayers> = object(
  "CombinedLayers",
  {
    ContainerID: filled(string),
    ContainerRootPath: filled(string),
    Layers: filled(list(Layer)),
    ScratchPath: filled(string),
  },
);

/** An address of an adapter. */
export interface IPConfig {
  /** IPv4 or IPv6 address, as text. */
  IPAddress?: string;
  /** Length of the network part, in bits. */
  PrefixLength?: number;
}

/** Codec of {@linkcode IPConfig}. */
export const IPConfig: ObjectCodec<IPConfig> = object("IPConfig", {
  IPAddress: filled(string),
  PrefixLength: filled(uint8),
});

/** A route of an adapter. */
export interface Route {
  /** Address of the gateway. */
  NextHop?: string;
  /** Where the route leads, as `address/length`. */
  DestinationPrefix?: string;
  /** Cost of the route, left out when 0; lower is preferred. */
  Metric?: number;
}

/** Codec of {@linkcode Route}. */
export const Route: ObjectCodec<Route> = object("Route", {
  NextHop: filled(string),
  DestinationPrefix: filled(string),
  Metric: filled(uint16),
});

/**
 * A network adapter (resource type `Network`). Remove carries only
 * `NamespaceID` and `ID`.
 */
export interface NetworkAdapter {
  /** GUID; the case is ignored. */
  NamespaceID?: string;
  /** GUID of the vmbus device; the case is ignored. */
  ID?: string;
  /** With dashes. */
  MacAddress?: string;
  /** Search list, comma-separated. */
  DNSSuffix?: string;
  /** Comma-separated. */
  DNSServerList?: string;
  /** Bytes taken off the MTU. */
  EncapOverhead?: number;
  /** The adapter is found on the PCI path. */
  VPCIAssigned?: boolean;
  /** Empty means DHCP. */
  IPConfigs?: IPConfig[];
  /** Routes that go through this adapter. */
  Routes?: Route[];
  /** The guest works out `EnableLowMetric`: true for all adapters but the first. */
  PolicyBasedRouting?: boolean;
  /**
   * The adapter gives way to others: routing table 101 for its addresses, metric
   * 500 for routes that have none.
   */
  EnableLowMetric?: boolean;
}

/** Codec of {@linkcode NetworkAdapter}. */
export const NetworkAdapter: ObjectCodec<NetworkAdapter> = object(
  "NetworkAdapter",
  {
    NamespaceID: filled(string),
    ID: filled(string),
    MacAddress: filled(string),
    DNSSuffix: filled(string),
    DNSServerList: filled(string),
    EncapOverhead: filled(uint16),
    VPCIAssigned: filled(boolean),
    IPConfigs: filled(list(IPConfig)),
    Routes: filled(list(Route)),
    PolicyBasedRouting: filled(boolean),
    EnableLowMetric: filled(boolean),
  },
);

/** A PCI device to wait for. */
export interface VPCIDevice {
  /** GUID of the vmbus device below which the PCI device appears. */
  VMBusGUID?: string;
}

/** Codec of {@linkcode VPCIDevice}. */
export const VPCIDevice: ObjectCodec<VPCIDevice> = object("VPCIDevice", {
  VMBusGUID: filled(string),
});

/** Limits of a container. */
export interface ContainerConstraints {
  /** Always `{}`. */
  Windows?: JsonObject;
  /** `linux.resources` of an OCI specification, passed through unchanged. */
  Linux?: JsonObject;
}

/** Codec of {@linkcode ContainerConstraints}. */
export const ContainerConstraints: ObjectCodec<ContainerConstraints> = object(
  "ContainerConstraints",
  {
    Windows: filled(jsonObject),
    Linux: filled(jsonObject),
  },
);

/** The policy of a confidential VM. */
export interface SecurityPolicy {
  /** Empty, `open_door` or `rego`. */
  EnforcerType?: string;
  /** Base64. */
  EncodedSecurityPolicy?: string;
  /** Base64. */
  EncodedUVMReference?: string;
  /** Base64. */
  EncodedUVMHashEnvelopeReference?: string;
}

/** Codec of {@linkcode SecurityPolicy}. */
export const SecurityPolicy: ObjectCodec<SecurityPolicy> = object(
  "SecurityPolicy",
  {
    EnforcerType: filled(string),
    EncodedSecurityPolicy: filled(string),
    EncodedUVMReference: filled(string),
    EncodedUVMHashEnvelopeReference: filled(string),
  },
);

/** A part that a policy loads. */
export interface SecurityPolicyFragment {
  /** Base64 of a COSE_Sign1 document. */
  Fragment?: string;
  /** Empty is `application/cose-x509+rego`. */
  MediaType?: string;
}

/** Codec of {@linkcode SecurityPolicyFragment}. */
export const SecurityPolicyFragment: ObjectCodec<SecurityPolicyFragment> =
  object("SecurityPolicyFragment", {
    Fragment: filled(string),
    MediaType: filled(string),
  });

/** Offers a range of protocol versions. */
export interface NegotiateRequest extends RequestBase {
  /** Lowest version that the host speaks. */
  MinimumVersion: number;
  /** Highest version that the host speaks. */
  MaximumVersion: number;
}

/** Codec of {@linkcode NegotiateRequest}. */
export const NegotiateRequest: ObjectCodec<NegotiateRequest> = object(
  "NegotiateRequest",
  {
    ...RequestBase.members,
    MinimumVersion: always(uint32),
    MaximumVersion: always(uint32),
  },
);

/** What a Linux guest can do. */
export interface GuestDefinedCapabilities {
  /** Network adapters can be added to a namespace. */
  NamespaceAddRequestSupported?: boolean;
  /** Any signal can be sent; without it only kill. */
  SignalProcessSupported?: boolean;
  /** DumpStacks is answered. */
  DumpStacksSupported?: boolean;
  /** DeleteContainerState is answered. */
  DeleteContainerStateSupported?: boolean;
}

/** Codec of {@linkcode GuestDefinedCapabilities}. */
export const GuestDefinedCapabilities: ObjectCodec<GuestDefinedCapabilities> =
  object("GuestDefinedCapabilities", {
    NamespaceAddRequestSupported: filled(boolean),
    SignalProcessSupported: filled(boolean),
    DumpStacksSupported: filled(boolean),
    DeleteContainerStateSupported: filled(boolean),
  });

/** What a guest expects and can do. */
export interface Capabilities {
  /** The host creates the null container first. */
  SendHostCreateMessage?: boolean;
  /** The host starts the null container too. */
  SendHostStartMessage?: boolean;
  /** Sockets are configured with the VM. */
  HvSocketConfigOnStartup?: boolean;
  /** Never set by a Linux guest. */
  SendLifecycleNotifications?: boolean;
  /** Never set by a Linux guest. */
  ModifyServiceSettingsSupported?: boolean;
  /** Versions of the container document. */
  SupportedSchemaVersions?: SchemaVersion[];
  /** `Linux`; empty means windows; the case is ignored. */
  RuntimeOsType?: string;
  /** Its absence fails the handshake. */
  GuestDefinedCapabilities?: GuestDefinedCapabilities;
}

/** Codec of {@linkcode Capabilities}. */
export const Capabilities: ObjectCodec<Capabilities> = object("Capabilities", {
  SendHostCreateMessage: filled(boolean),
  SendHostStartMessage: filled(boolean),
  HvSocketConfigOnStartup: filled(boolean),
  SendLifecycleNotifications: filled(boolean),
  ModifyServiceSettingsSupported: filled(boolean),
  SupportedSchemaVersions: filled(list(SchemaVersion)),
  RuntimeOsType: filled(string),
  GuestDefinedCapabilities: filled(GuestDefinedCapabilities),
});

/** The chosen version. */
export interface NegotiateResponse extends ResponseBase {
  /** Protocol version of this connection. */
  Version: number;
  /** What the guest can do beyond the protocol itself. */
  Capabilities: Capabilities;
}

/** Codec of {@linkcode NegotiateResponse}. */
export const NegotiateResponse: ObjectCodec<NegotiateResponse> = object(
  "NegotiateResponse",
  {
    ...ResponseBase.members,
    Version: always(uint32),
    Capabilities: always(Capabilities),
  },
);

/** vsock ports on which the host listens for the streams. */
export interface StdioRelaySettings {
  /** Where the guest reads the standard input; absent when there is none. */
  StdIn?: number;
  /** Where the guest writes the standard output; absent when there is none. */
  StdOut?: number;
  /** Where the guest writes the standard error; absent when there is none. */
  StdErr?: number;
}

/** Codec of {@linkcode StdioRelaySettings}. */
export const StdioRelaySettings: ObjectCodec<StdioRelaySettings> = object(
  "StdioRelaySettings",
  {
    StdIn: filled(uint32),
    StdOut: filled(uint32),
    StdErr: filled(uint32),
  },
);

/** What to run, and where its streams go. */
export interface ExecuteProcessSettings {
  /** What to run, as the JSON text of {@linkcode ProcessParameters}. */
  ProcessParameters: string;
  /** A port counts only when its Create…Pipe flag is set. */
  VsockStdioRelaySettings?: StdioRelaySettings;
}

/** Codec of {@linkcode ExecuteProcessSettings}. */
export const ExecuteProcessSettings: ObjectCodec<ExecuteProcessSettings> =
  object("ExecuteProcessSettings", {
    ProcessParameters: always(jsonText(() => ProcessParameters)),
    VsockStdioRelaySettings: filled(StdioRelaySettings),
  });

/**
 * Starts the init process of a container, another process in it, or a process
 * of the VM.
 */
export interface ExecuteProcessRequest extends RequestBase {
  /** What to run, and where its streams go. */
  Settings: ExecuteProcessSettings;
}

/** Codec of {@linkcode ExecuteProcessRequest}. */
export const ExecuteProcessRequest: ObjectCodec<ExecuteProcessRequest> = object(
  "ExecuteProcessRequest",
  {
    ...RequestBase.members,
    Settings: always(ExecuteProcessSettings),
  },
);

/** The process runs. */
export interface ExecuteProcessResponse extends ResponseBase {
  /** In the pid namespace of the VM. */
  ProcessId: number;
}

/** Codec of {@linkcode ExecuteProcessResponse}. */
export const ExecuteProcessResponse: ObjectCodec<ExecuteProcessResponse> =
  object("ExecuteProcessResponse", {
    ...ResponseBase.members,
    ProcessId: always(uint32),
  });

/** A process. Without `OciProcess` it is the init process of the container. */
export interface ProcessParameters {
  /** Shell-like line, when `CommandArgs` is empty (processes of the VM only). */
  CommandLine?: string;
  /** Arguments (processes of the VM only). */
  CommandArgs?: string[];
  /** Processes of the VM only. */
  WorkingDirectory?: string;
  /** The entire environment (processes of the VM only). */
  Environment?: Record<string, string>;
  /** Run on a terminal (processes of the VM only). */
  EmulateConsole?: boolean;
  /** Height and width of that terminal. */
  ConsoleSize?: number[];
  /** The guest dials the port of the standard input. */
  CreateStdInPipe?: boolean;
  /** The guest dials the port of the standard output. */
  CreateStdOutPipe?: boolean;
  /** The guest dials the port of the standard error. */
  CreateStdErrPipe?: boolean;
  /** A process of the VM, whatever the container id. */
  CreateInUtilityVM?: boolean;
  /** Not used at protocol version 4. */
  OciSpecification?: JsonObject;
  /** OCI process, passed through unchanged. */
  OciProcess?: JsonObject;
}

/** Codec of {@linkcode ProcessParameters}. */
export const ProcessParameters: ObjectCodec<ProcessParameters> = object(
  "ProcessParameters",
  {
    CommandLine: filled(string),
    CommandArgs: filled(list(string)),
    WorkingDirectory: filled(string),
    Environment: filled(map(string)),
    EmulateConsole: filled(boolean),
    ConsoleSize: filled(list(uint16)),
    CreateStdInPipe: filled(boolean),
    CreateStdOutPipe: filled(boolean),
    CreateStdErrPipe: filled(boolean),
    CreateInUtilityVM: filled(boolean),
    OciSpecification: filled(jsonObject),
    OciProcess: filled(jsonObject),
  },
);

/** Waits for the exit of a process. */
export interface WaitForProcessRequest extends RequestBase {
  /** Pid that ExecuteProcess answered, in the pid namespace of the VM. */
  ProcessId: number;
  /** Milliseconds; 4294967295 is for ever. */
  TimeoutInMs: number;
}

/** Codec of {@linkcode WaitForProcessRequest}. */
export const WaitForProcessRequest: ObjectCodec<WaitForProcessRequest> = object(
  "WaitForProcessRequest",
  {
    ...RequestBase.members,
    ProcessId: always(uint32),
    TimeoutInMs: always(uint32),
  },
);

/** The process has ended. */
export interface WaitForProcessResponse extends ResponseBase {
  /** 128 + signal when a signal ended it. */
  ExitCode: number;
}

/** Codec of {@linkcode WaitForProcessResponse}. */
export const WaitForProcessResponse: ObjectCodec<WaitForProcessResponse> =
  object("WaitForProcessResponse", {
    ...ResponseBase.members,
    ExitCode: always(uint32),
  });

/** Which signal. */
export interface SignalOptions {
  /** Linux signal number; 0 or absent is SIGKILL. */
  Signal?: number;
}

/** Codec of {@linkcode SignalOptions}. */
export const SignalOptions: ObjectCodec<SignalOptions> = object(
  "SignalOptions",
  {
    Signal: filled(int32),
  },
);

/** Signals a process of a container. */
export interface SignalProcessRequest extends RequestBase {
  /** Pid that ExecuteProcess answered; it must belong to the container. */
  ProcessId: number;
  /** Absent (or null) is SIGKILL. */
  Options?: SignalOptions;
}

/** Codec of {@linkcode SignalProcessRequest}. */
export const SignalProcessRequest: ObjectCodec<SignalProcessRequest> = object(
  "SignalProcessRequest",
  {
    ...RequestBase.members,
    ProcessId: always(uint32),
    Options: filled(SignalOptions),
  },
);

/** Sets the size of a terminal. */
export interface ResizeConsoleRequest extends RequestBase {
  /** Pid that ExecuteProcess answered; the process must have a terminal. */
  ProcessId: number;
  /** Rows. */
  Height: number;
  /** Columns. */
  Width: number;
}

/** Codec of {@linkcode ResizeConsoleRequest}. */
export const ResizeConsoleRequest: ObjectCodec<ResizeConsoleRequest> = object(
  "ResizeConsoleRequest",
  {
    ...RequestBase.members,
    ProcessId: always(uint32),
    Height: always(uint16),
    Width: always(uint16),
  },
);

/** What the guest agent is doing. */
export interface DumpStacksResponse extends ResponseBase {
  /** Text for people, cut to fit a frame of 64 KiB. */
  GuestStacks: string;
}

/** Codec of {@linkcode DumpStacksResponse}. */
export const DumpStacksResponse: ObjectCodec<DumpStacksResponse> = object(
  "DumpStacksResponse",
  {
    ...ResponseBase.members,
    GuestStacks: always(string),
  },
);

/** Which properties. */
export interface PropertyQuery {
  /** `ProcessList`, `Statistics`; unknown ones are skipped. */
  PropertyTypes?: string[];
}

/** Codec of {@linkcode PropertyQuery}. */
export const PropertyQuery: ObjectCodec<PropertyQuery> = object(
  "PropertyQuery",
  {
    PropertyTypes: filled(list(string)),
  },
);

/** Asks for properties of a container. */
export interface GetPropertiesRequest extends RequestBase {
  /** Empty asks for nothing. */
  Query: string;
}

/** Codec of {@linkcode GetPropertiesRequest}. */
export const GetPropertiesRequest: ObjectCodec<GetPropertiesRequest> = object(
  "GetPropertiesRequest",
  {
    ...RequestBase.members,
    Query: always(jsonText(() => PropertyQuery)),
  },
);

/** Answers a query. */
export interface GetPropertiesResponse extends ResponseBase {
  /** At least `{}`: a host parses it. */
  Properties: string;
}

/** Codec of {@linkcode GetPropertiesResponse}. */
export const GetPropertiesResponse: ObjectCodec<GetPropertiesResponse> = object(
  "GetPropertiesResponse",
  {
    ...ResponseBase.members,
    Properties: always(jsonText(() => ContainerProperties)),
  },
);

/** A process of a container. */
export interface ContainerProcess {
  /** In the pid namespace of the VM. */
  ProcessId: number;
}

/** Codec of {@linkcode ContainerProcess}. */
export const ContainerProcess: ObjectCodec<ContainerProcess> = object(
  "ContainerProcess",
  {
    ProcessId: always(uint32),
  },
);

/** Huge pages of one size. */
export interface HugetlbStat {
  /** Bytes in use. */
  usage?: bigint;
  /** Highest usage so far in bytes; with cgroup version 2 the limit. */
  max?: bigint;
  /** How often the limit was hit; only with cgroup version 1. */
  failcnt?: bigint;
  /** Size of a page, such as `2MB`; only with cgroup version 1. */
  pagesize?: string;
}

/** Codec of {@linkcode HugetlbStat}. */
export const HugetlbStat: ObjectCodec<HugetlbStat> = object("HugetlbStat", {
  usage: filled(uint64),
  max: filled(uint64),
  failcnt: filled(uint64),
  pagesize: filled(string),
});

/** Number of processes. */
export interface PidsStat {
  /** Processes and threads now. */
  current?: bigint;
  /** Absent when there is none. */
  limit?: bigint;
}

/** Codec of {@linkcode PidsStat}. */
export const PidsStat: ObjectCodec<PidsStat> = object("PidsStat", {
  current: filled(uint64),
  limit: filled(uint64),
});

/** CPU time in nanoseconds. */
export interface CpuUsage {
  /** Time in the kernel and in user space. */
  total?: bigint;
  /** Time in the kernel. */
  kernel?: bigint;
  /** Time in user space. */
  user?: bigint;
  /** Total time on each CPU; only with cgroup version 1. */
  per_cpu?: bigint[];
}

/** Codec of {@linkcode CpuUsage}. */
export const CpuUsage: ObjectCodec<CpuUsage> = object("CpuUsage", {
  total: filled(uint64),
  kernel: filled(uint64),
  user: filled(uint64),
  per_cpu: filled(list(uint64)),
});

/** CPU bandwidth control. */
export interface CpuThrottling {
  /** Periods of the bandwidth control that have gone by. */
  periods?: bigint;
  /** Periods in which the container used up its quota. */
  throttled_periods?: bigint;
  /** Nanoseconds. */
  throttled_time?: bigint;
}

/** Codec of {@linkcode CpuThrottling}. */
export const CpuThrottling: ObjectCodec<CpuThrottling> = object(
  "CpuThrottling",
  {
    periods: filled(uint64),
    throttled_periods: filled(uint64),
    throttled_time: filled(uint64),
  },
);

/** CPU statistics. */
export interface CpuStat {
  /** CPU time used. */
  usage?: CpuUsage;
  /** CPU time denied. */
  throttling?: CpuThrottling;
}

/** Codec of {@linkcode CpuStat}. */
export const CpuStat: ObjectCodec<CpuStat> = object("CpuStat", {
  usage: filled(CpuUsage),
  throttling: filled(CpuThrottling),
});

/** One memory counter, in bytes. */
export interface MemoryEntry {
  /**
   * Most that may be used; 9223372036854771712 (cgroup version 1) or
   * 18446744073709551615 (version 2) without a limit.
   */
  limit?: bigint;
  /** Used now. */
  usage?: bigint;
  /** Highest usage so far. */
  max?: bigint;
  /** How often the limit was hit; only with cgroup version 1. */
  failcnt?: bigint;
}

/** Codec of {@linkcode MemoryEntry}. */
export const MemoryEntry: ObjectCodec<MemoryEntry> = object("MemoryEntry", {
  limit: filled(uint64),
  usage: filled(uint64),
  max: filled(uint64),
  failcnt: filled(uint64),
});

/** Memory statistics, in bytes and pages as the kernel counts them. */
export interface MemoryStat {
  /** Page cache, in bytes. */
  cache?: bigint;
  /** Anonymous memory, in bytes. */
  rss?: bigint;
  /**
   * Anonymous memory in transparent huge pages, in bytes; only with cgroup
   * version 1.
   */
  rss_huge?: bigint;
  /** Page cache that processes have mapped, in bytes. */
  mapped_file?: bigint;
  /** Page cache that is not written to its file yet, in bytes. */
  dirty?: bigint;
  /** Page cache on its way to the disk, in bytes. */
  writeback?: bigint;
  /** Pages charged so far; only with cgroup version 1. */
  pg_pg_in?: bigint;
  /** Pages uncharged so far; only with cgroup version 1. */
  pg_pg_out?: bigint;
  /** Page faults so far. */
  pg_fault?: bigint;
  /** Page faults so far that needed I/O. */
  pg_maj_fault?: bigint;
  /** Anonymous memory that is reclaimed first, in bytes. */
  inactive_anon?: bigint;
  /** Anonymous memory in recent use, in bytes. */
  active_anon?: bigint;
  /** Page cache that is reclaimed first, in bytes. */
  inactive_file?: bigint;
  /** Page cache in recent use, in bytes. */
  active_file?: bigint;
  /** Memory that cannot be reclaimed (`mlock`), in bytes. */
  unevictable?: bigint;
  /**
   * Lowest memory limit from here up to the root, in bytes; with cgroup version
   * 2 that of the group alone.
   */
  hierarchical_memory_limit?: bigint;
  /**
   * Lowest limit of memory and swap together from here up to the root, in bytes;
   * with cgroup version 2 that of the group's swap alone.
   */
  hierarchical_swap_limit?: bigint;
  /** `cache` of this group and all below; only with cgroup version 1. */
  total_cache?: bigint;
  /** `rss` of this group and all below; only with cgroup version 1. */
  total_rss?: bigint;
  /** `rss_huge` of this group and all below; only with cgroup version 1. */
  total_rss_huge?: bigint;
  /** `mapped_file` of this group and all below; only with cgroup version 1. */
  total_mapped_file?: bigint;
  /** `dirty` of this group and all below; only with cgroup version 1. */
  total_dirty?: bigint;
  /** `writeback` of this group and all below; only with cgroup version 1. */
  total_writeback?: bigint;
  /** `pg_pg_in` of this group and all below; only with cgroup version 1. */
  total_pg_pg_in?: bigint;
  /** `pg_pg_out` of this group and all below; only with cgroup version 1. */
  total_pg_pg_out?: bigint;
  /** `pg_fault` of this group and all below; only with cgroup version 1. */
  total_pg_fault?: bigint;
  /** `pg_maj_fault` of this group and all below; only with cgroup version 1. */
  total_pg_maj_fault?: bigint;
  /** `inactive_anon` of this group and all below; only with cgroup version 1. */
  total_inactive_anon?: bigint;
  /** `active_anon` of this group and all below; only with cgroup version 1. */
  total_active_anon?: bigint;
  /** `inactive_file` of this group and all below; only with cgroup version 1. */
  total_inactive_file?: bigint;
  /** `active_file` of this group and all below; only with cgroup version 1. */
  total_active_file?: bigint;
  /** `unevictable` of this group and all below; only with cgroup version 1. */
  total_unevictable?: bigint;
  /** Memory of the group. */
  usage?: MemoryEntry;
  /** Swap; with cgroup version 1 memory and swap together. */
  swap?: MemoryEntry;
  /** Memory of the kernel for the group; with cgroup version 2 its stacks only. */
  kernel?: MemoryEntry;
  /** Buffers of TCP; with cgroup version 2 of all sockets. */
  kernel_tcp?: MemoryEntry;
}

/** Codec of {@linkcode MemoryStat}. */
export const MemoryStat: ObjectCodec<MemoryStat> = object("MemoryStat", {
  cache: filled(uint64),
  rss: filled(uint64),
  rss_huge: filled(uint64),
  mapped_file: filled(uint64),
  dirty: filled(uint64),
  writeback: filled(uint64),
  pg_pg_in: filled(uint64),
  pg_pg_out: filled(uint64),
  pg_fault: filled(uint64),
  pg_maj_fault: filled(uint64),
  inactive_anon: filled(uint64),
  active_anon: filled(uint64),
  inactive_file: filled(uint64),
  active_file: filled(uint64),
  unevictable: filled(uint64),
  hierarchical_memory_limit: filled(uint64),
  hierarchical_swap_limit: filled(uint64),
  total_cache: filled(uint64),
  total_rss: filled(uint64),
  total_rss_huge: filled(uint64),
  total_mapped_file: filled(uint64),
  total_dirty: filled(uint64),
  total_writeback: filled(uint64),
  total_pg_pg_in: filled(uint64),
  total_pg_pg_out: filled(uint64),
  total_pg_fault: filled(uint64),
  total_pg_maj_fault: filled(uint64),
  total_inactive_anon: filled(uint64),
  total_active_anon: filled(uint64),
  total_inactive_file: filled(uint64),
  total_active_file: filled(uint64),
  total_unevictable: filled(uint64),
  usage: filled(MemoryEntry),
  swap: filled(MemoryEntry),
  kernel: filled(MemoryEntry),
  kernel_tcp: filled(MemoryEntry),
});

/** One counter of one block device. */
export interface BlkioEntry {
  /** Which operations are counted, such as `Read` and `Write`. */
  op?: string;
  /** Path of the device node. */
  device?: string;
  /** Major number of the device. */
  major?: bigint;
  /** Minor number of the device. */
  minor?: bigint;
  /** The count, in the unit of its list. */
  value?: bigint;
}

/** Codec of {@linkcode BlkioEntry}. */
export const BlkioEntry: ObjectCodec<BlkioEntry> = object("BlkioEntry", {
  op: filled(string),
  device: filled(string),
  major: filled(uint64),
  minor: filled(uint64),
  value: filled(uint64),
});

/** Block I/O; the guest empties it to stay under the frame limit. */
export interface BlkioStat {
  /** Bytes transferred. */
  io_service_bytes_recursive?: BlkioEntry[];
  /** Operations finished. */
  io_serviced_recursive?: BlkioEntry[];
  /** Operations waiting now. */
  io_queued_recursive?: BlkioEntry[];
  /** Time from dispatch to completion, in nanoseconds. */
  io_service_time_recursive?: BlkioEntry[];
  /** Time in the queues of the scheduler, in nanoseconds. */
  io_wait_time_recursive?: BlkioEntry[];
  /** Operations merged into others. */
  io_merged_recursive?: BlkioEntry[];
  /** Time that the device was the group's, in milliseconds. */
  io_time_recursive?: BlkioEntry[];
  /** Sectors transferred. */
  sectors_recursive?: BlkioEntry[];
}

/** Codec of {@linkcode BlkioStat}. */
export const BlkioStat: ObjectCodec<BlkioStat> = object("BlkioStat", {
  io_service_bytes_recursive: filled(list(BlkioEntry)),
  io_serviced_recursive: filled(list(BlkioEntry)),
  io_queued_recursive: filled(list(BlkioEntry)),
  io_service_time_recursive: filled(list(BlkioEntry)),
  io_wait_time_recursive: filled(list(BlkioEntry)),
  io_merged_recursive: filled(list(BlkioEntry)),
  io_time_recursive: filled(list(BlkioEntry)),
  sectors_recursive: filled(list(BlkioEntry)),
});

/** RDMA resources of one device. */
export interface RdmaEntry {
  /** Name of the device, such as `mlx4_0`. */
  device?: string;
  /** Handles of the adapter: in use, or allowed. */
  hca_handles?: number;
  /** Objects of the adapter: in use, or allowed. */
  hca_objects?: number;
}

/** Codec of {@linkcode RdmaEntry}. */
export const RdmaEntry: ObjectCodec<RdmaEntry> = object("RdmaEntry", {
  device: filled(string),
  hca_handles: filled(uint32),
  hca_objects: filled(uint32),
});

/** RDMA; the guest empties it to stay under the frame limit. */
export interface RdmaStat {
  /** In use, one entry per device. */
  current?: RdmaEntry[];
  /** Allowed, one entry per device. */
  limit?: RdmaEntry[];
}

/** Codec of {@linkcode RdmaStat}. */
export const RdmaStat: ObjectCodec<RdmaStat> = object("RdmaStat", {
  current: filled(list(RdmaEntry)),
  limit: filled(list(RdmaEntry)),
});

/** Counters of one network interface. */
export interface NetworkStat {
  /** Name of the interface in the guest. */
  name?: string;
  /** Bytes received. */
  rx_bytes?: bigint;
  /** Packets received. */
  rx_packets?: bigint;
  /** Received packets that were bad. */
  rx_errors?: bigint;
  /** Received packets that were dropped. */
  rx_dropped?: bigint;
  /** Bytes sent. */
  tx_bytes?: bigint;
  /** Packets sent. */
  tx_packets?: bigint;
  /** Packets that could not be sent. */
  tx_errors?: bigint;
  /** Packets dropped before they were sent. */
  tx_dropped?: bigint;
}

/** Codec of {@linkcode NetworkStat}. */
export const NetworkStat: ObjectCodec<NetworkStat> = object("NetworkStat", {
  name: filled(string),
  rx_bytes: filled(uint64),
  rx_packets: filled(uint64),
  rx_errors: filled(uint64),
  rx_dropped: filled(uint64),
  tx_bytes: filled(uint64),
  tx_packets: filled(uint64),
  tx_errors: filled(uint64),
  tx_dropped: filled(uint64),
});

/** Tasks of the cgroup by state. */
export interface CgroupStats {
  /** Tasks that sleep. */
  nr_sleeping?: bigint;
  /** Tasks that run or could run. */
  nr_running?: bigint;
  /** Tasks that are stopped. */
  nr_stopped?: bigint;
  /** Tasks in an uninterruptible sleep. */
  nr_uninterruptible?: bigint;
  /** Tasks that wait for I/O. */
  nr_io_wait?: bigint;
}

/** Codec of {@linkcode CgroupStats}. */
export const CgroupStats: ObjectCodec<CgroupStats> = object("CgroupStats", {
  nr_sleeping: filled(uint64),
  nr_running: filled(uint64),
  nr_stopped: filled(uint64),
  nr_uninterruptible: filled(uint64),
  nr_io_wait: filled(uint64),
});

/** Out-of-memory state. */
export interface MemoryOomControl {
  /** 1 when tasks wait for memory instead of being killed. */
  oom_kill_disable?: bigint;
  /** 1 while tasks wait for memory. */
  under_oom?: bigint;
  /** Processes killed so far for want of memory. */
  oom_kill?: bigint;
}

/** Codec of {@linkcode MemoryOomControl}. */
export const MemoryOomControl: ObjectCodec<MemoryOomControl> = object(
  "MemoryOomControl",
  {
    oom_kill_disable: filled(uint64),
    under_oom: filled(uint64),
    oom_kill: filled(uint64),
  },
);

/**
 * Statistics of a container in the shape of cgroup v1. Every section may be
 * absent; a section that is set is written even when it is empty.
 */
export interface LCOWMetrics {
  /** Huge pages, one entry per page size. */
  hugetlb?: HugetlbStat[];
  /** Number of processes. */
  pids?: PidsStat;
  /** CPU time and throttling. */
  cpu?: CpuStat;
  /** Memory, with swap, kernel and sockets. */
  memory?: MemoryStat;
  /** Block I/O; an empty object on the wire. */
  blkio?: BlkioStat;
  /** RDMA; an empty object on the wire. */
  rdma?: RdmaStat;
  /** Network interfaces; never set by a guest. */
  network?: NetworkStat[];
  /** Tasks by state; never set by a guest. */
  cgroup_stats?: CgroupStats;
  /** Out-of-memory state. */
  memory_oom_control?: MemoryOomControl;
}

/** Codec of {@linkcode LCOWMetrics}. */
export const LCOWMetrics: ObjectCodec<LCOWMetrics> = object("LCOWMetrics", {
  hugetlb: filled(list(HugetlbStat)),
  pids: filled(PidsStat),
  cpu: filled(CpuStat),
  memory: filled(MemoryStat),
  blkio: filled(BlkioStat),
  rdma: filled(RdmaStat),
  network: filled(list(NetworkStat)),
  cgroup_stats: filled(CgroupStats),
  memory_oom_control: filled(MemoryOomControl),
});

/** Properties of a container. */
export interface ContainerProperties {
  /** Processes of the container, when the query names `ProcessList`. */
  ProcessList?: ContainerProcess[];
  /** Statistics, when the query names `Statistics`. */
  LCOWMetrics?: LCOWMetrics;
}

/** Codec of {@linkcode ContainerProperties}. */
export const ContainerProperties: ObjectCodec<ContainerProperties> = object(
  "ContainerProperties",
  {
    ProcessList: filled(list(ContainerProcess)),
    LCOWMetrics: filled(LCOWMetrics),
  },
);
