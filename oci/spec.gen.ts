/**
 * The OCI runtime specification; unknown members are kept. Generated from
 * `schema/oci` by `deno task codegen`; do not edit.
 *
 * @module
 */

import {
  boolean,
  int32,
  int64,
  json,
  jsonObject,
  string,
  uint16,
  uint32,
  uint64,
} from "../base/codec.ts";
import {
  always,
  list,
  map,
  nullable,
  object,
  type ObjectCodec,
  whenSet,
} from "../base/codec_shapes.ts";
import type { Json, JsonObject } from "../base/json.ts";

/** A range of mapped user or group ids. */
export interface IDMapping {
  containerID: number;
  hostID: number;
  size: number;
}

/** Codec of {@linkcode IDMapping}. */
export const IDMapping: ObjectCodec<IDMapping> = object("IDMapping", {
  containerID: always(uint32),
  hostID: always(uint32),
  size: always(uint32),
}, { open: true });

/** Access to devices. */
export interface LinuxDeviceCgroup {
  allow: boolean;
  type?: string;
  /** Absent is any. */
  major?: bigint;
  /** Absent is any. */
  minor?: bigint;
  /** Letters of `rwm`. */
  access?: string;
}

/** Codec of {@linkcode LinuxDeviceCgroup}. */
export const LinuxDeviceCgroup: ObjectCodec<LinuxDeviceCgroup> = object(
  "LinuxDeviceCgroup",
  {
    allow: always(boolean),
    type: whenSet(string),
    major: whenSet(int64),
    minor: whenSet(int64),
    access: whenSet(string),
  },
  { open: true },
);

/** Memory limits in bytes; -1 is none. */
export interface LinuxMemory {
  limit?: bigint;
  reservation?: bigint;
  /** Memory and swap together. */
  swap?: bigint;
  kernel?: bigint;
  kernelTCP?: bigint;
  swappiness?: bigint;
  disableOOMKiller?: boolean;
  useHierarchy?: boolean;
  checkBeforeUpdate?: boolean;
}

/** Codec of {@linkcode LinuxMemory}. */
export const LinuxMemory: ObjectCodec<LinuxMemory> = object("LinuxMemory", {
  limit: whenSet(int64),
  reservation: whenSet(int64),
  swap: whenSet(int64),
  kernel: whenSet(int64),
  kernelTCP: whenSet(int64),
  swappiness: whenSet(uint64),
  disableOOMKiller: whenSet(boolean),
  useHierarchy: whenSet(boolean),
  checkBeforeUpdate: whenSet(boolean),
}, { open: true });

/** CPU limits. */
export interface LinuxCPU {
  shares?: bigint;
  /** Microseconds per period. */
  quota?: bigint;
  /** Microseconds. */
  burst?: bigint;
  /** Microseconds. */
  period?: bigint;
  realtimeRuntime?: bigint;
  realtimePeriod?: bigint;
  cpus?: string;
  mems?: string;
  idle?: bigint;
}

/** Codec of {@linkcode LinuxCPU}. */
export const LinuxCPU: ObjectCodec<LinuxCPU> = object("LinuxCPU", {
  shares: whenSet(uint64),
  quota: whenSet(int64),
  burst: whenSet(uint64),
  period: whenSet(uint64),
  realtimeRuntime: whenSet(int64),
  realtimePeriod: whenSet(uint64),
  cpus: whenSet(string),
  mems: whenSet(string),
  idle: whenSet(int64),
}, { open: true });

/** Limit of the number of processes. */
export interface LinuxPids {
  limit?: bigint;
}

/** Codec of {@linkcode LinuxPids}. */
export const LinuxPids: ObjectCodec<LinuxPids> = object("LinuxPids", {
  limit: whenSet(int64),
}, { open: true });

/** Share of one block device. */
export interface LinuxWeightDevice {
  major: bigint;
  minor: bigint;
  weight?: number;
  leafWeight?: number;
}

/** Codec of {@linkcode LinuxWeightDevice}. */
export const LinuxWeightDevice: ObjectCodec<LinuxWeightDevice> = object(
  "LinuxWeightDevice",
  {
    major: always(int64),
    minor: always(int64),
    weight: whenSet(uint16),
    leafWeight: whenSet(uint16),
  },
  { open: true },
);

/** Limit of one block device. */
export interface LinuxThrottleDevice {
  major: bigint;
  minor: bigint;
  rate: bigint;
}

/** Codec of {@linkcode LinuxThrottleDevice}. */
export const LinuxThrottleDevice: ObjectCodec<LinuxThrottleDevice> = object(
  "LinuxThrottleDevice",
  {
    major: always(int64),
    minor: always(int64),
    rate: always(uint64),
  },
  { open: true },
);

/** Block I/O limits. */
export interface LinuxBlockIO {
  weight?: number;
  leafWeight?: number;
  weightDevice?: LinuxWeightDevice[];
  throttleReadBpsDevice?: LinuxThrottleDevice[];
  throttleWriteBpsDevice?: LinuxThrottleDevice[];
  throttleReadIOPSDevice?: LinuxThrottleDevice[];
  throttleWriteIOPSDevice?: LinuxThrottleDevice[];
}

/** Codec of {@linkcode LinuxBlockIO}. */
export const LinuxBlockIO: ObjectCodec<LinuxBlockIO> = object("LinuxBlockIO", {
  weight: whenSet(uint16),
  leafWeight: whenSet(uint16),
  weightDevice: whenSet(list(LinuxWeightDevice)),
  throttleReadBpsDevice: whenSet(list(LinuxThrottleDevice)),
  throttleWriteBpsDevice: whenSet(list(LinuxThrottleDevice)),
  throttleReadIOPSDevice: whenSet(list(LinuxThrottleDevice)),
  throttleWriteIOPSDevice: whenSet(list(LinuxThrottleDevice)),
}, { open: true });

/** Limit of huge pages of one size. */
export interface LinuxHugepageLimit {
  /** For example 2MB. */
  pageSize: string;
  /** Bytes. */
  limit: bigint;
}

/** Codec of {@linkcode LinuxHugepageLimit}. */
export const LinuxHugepageLimit: ObjectCodec<LinuxHugepageLimit> = object(
  "LinuxHugepageLimit",
  {
    pageSize: always(string),
    limit: always(uint64),
  },
  { open: true },
);

/** Priority of one interface. */
export interface LinuxInterfacePriority {
  name: string;
  priority: number;
}

/** Codec of {@linkcode LinuxInterfacePriority}. */
export const LinuxInterfacePriority: ObjectCodec<LinuxInterfacePriority> =
  object("LinuxInterfacePriority", {
    name: always(string),
    priority: always(uint32),
  }, { open: true });

/** Network classification. */
export interface LinuxNetwork {
  classID?: number;
  priorities?: LinuxInterfacePriority[];
}

/** Codec of {@linkcode LinuxNetwork}. */
export const LinuxNetwork: ObjectCodec<LinuxNetwork> = object("LinuxNetwork", {
  classID: whenSet(uint32),
  priorities: whenSet(list(LinuxInterfacePriority)),
}, { open: true });

/** Limits of one RDMA device. */
export interface LinuxRdma {
  hcaHandles?: number;
  hcaObjects?: number;
}

/** Codec of {@linkcode LinuxRdma}. */
export const LinuxRdma: ObjectCodec<LinuxRdma> = object("LinuxRdma", {
  hcaHandles: whenSet(uint32),
  hcaObjects: whenSet(uint32),
}, { open: true });

/** Limits. */
export interface LinuxResources {
  /** In order; later ones win. */
  devices?: LinuxDeviceCgroup[];
  memory?: LinuxMemory;
  cpu?: LinuxCPU;
  pids?: LinuxPids;
  blockIO?: LinuxBlockIO;
  hugepageLimits?: LinuxHugepageLimit[];
  network?: LinuxNetwork;
  rdma?: Record<string, LinuxRdma>;
  /** Files of cgroup version 2. */
  unified?: Record<string, string>;
}

/** Codec of {@linkcode LinuxResources}. */
export const LinuxResources: ObjectCodec<LinuxResources> = object(
  "LinuxResources",
  {
    devices: whenSet(list(LinuxDeviceCgroup)),
    memory: whenSet(LinuxMemory),
    cpu: whenSet(LinuxCPU),
    pids: whenSet(LinuxPids),
    blockIO: whenSet(LinuxBlockIO),
    hugepageLimits: whenSet(list(LinuxHugepageLimit)),
    network: whenSet(LinuxNetwork),
    rdma: whenSet(map(LinuxRdma)),
    unified: whenSet(map(string)),
  },
  { open: true },
);

/** A namespace of the container: new, or that at a path. */
export interface LinuxNamespace {
  /** pid, network, mount, ipc, uts, user, cgroup or time. */
  type: string;
  path?: string;
}

/** Codec of {@linkcode LinuxNamespace}. */
export const LinuxNamespace: ObjectCodec<LinuxNamespace> = object(
  "LinuxNamespace",
  {
    type: always(string),
    path: whenSet(string),
  },
  { open: true },
);

/** A device node. */
export interface LinuxDevice {
  path: string;
  /** c, b, u or p. */
  type: string;
  major?: bigint;
  minor?: bigint;
  fileMode?: number;
  uid?: number;
  gid?: number;
}

/** Codec of {@linkcode LinuxDevice}. */
export const LinuxDevice: ObjectCodec<LinuxDevice> = object("LinuxDevice", {
  path: always(string),
  type: always(string),
  major: whenSet(int64),
  minor: whenSet(int64),
  fileMode: whenSet(uint32),
  uid: whenSet(uint32),
  gid: whenSet(uint32),
}, { open: true });

/** A condition on an argument of a system call. */
export interface LinuxSeccompArg {
  index: number;
  value: bigint;
  valueTwo?: bigint;
  op: string;
}

/** Codec of {@linkcode LinuxSeccompArg}. */
export const LinuxSeccompArg: ObjectCodec<LinuxSeccompArg> = object(
  "LinuxSeccompArg",
  {
    index: always(uint32),
    value: always(uint64),
    valueTwo: whenSet(uint64),
    op: always(string),
  },
  { open: true },
);

/** A rule for system calls. */
export interface LinuxSyscall {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: LinuxSeccompArg[];
}

/** Codec of {@linkcode LinuxSyscall}. */
export const LinuxSyscall: ObjectCodec<LinuxSyscall> = object("LinuxSyscall", {
  names: always(list(string)),
  action: always(string),
  errnoRet: whenSet(uint32),
  args: whenSet(list(LinuxSeccompArg)),
}, { open: true });

/** Filter of system calls. */
export interface LinuxSeccomp {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  flags?: string[];
  listenerPath?: string;
  listenerMetadata?: string;
  syscalls?: LinuxSyscall[];
}

/** Codec of {@linkcode LinuxSeccomp}. */
export const LinuxSeccomp: ObjectCodec<LinuxSeccomp> = object("LinuxSeccomp", {
  defaultAction: always(string),
  defaultErrnoRet: whenSet(uint32),
  architectures: whenSet(list(string)),
  flags: whenSet(list(string)),
  listenerPath: whenSet(string),
  listenerMetadata: whenSet(string),
  syscalls: whenSet(list(LinuxSyscall)),
}, { open: true });

/** Execution domain. */
export interface LinuxPersonality {
  domain: string;
  flags?: string[];
}

/** Codec of {@linkcode LinuxPersonality}. */
export const LinuxPersonality: ObjectCodec<LinuxPersonality> = object(
  "LinuxPersonality",
  {
    domain: always(string),
    flags: whenSet(list(string)),
  },
  { open: true },
);

/** Offset of a clock. */
export interface LinuxTimeOffset {
  secs?: bigint;
  nanosecs?: number;
}

/** Codec of {@linkcode LinuxTimeOffset}. */
export const LinuxTimeOffset: ObjectCodec<LinuxTimeOffset> = object(
  "LinuxTimeOffset",
  {
    secs: whenSet(int64),
    nanosecs: whenSet(uint32),
  },
  { open: true },
);

/** What concerns Linux containers. */
export interface Linux {
  uidMappings?: IDMapping[];
  gidMappings?: IDMapping[];
  sysctl?: Record<string, string>;
  resources?: LinuxResources;
  cgroupsPath?: string;
  namespaces?: LinuxNamespace[];
  devices?: LinuxDevice[];
  netDevices?: JsonObject;
  seccomp?: LinuxSeccomp;
  rootfsPropagation?: string;
  maskedPaths?: string[];
  readonlyPaths?: string[];
  mountLabel?: string;
  intelRdt?: JsonObject;
  personality?: LinuxPersonality;
  timeOffsets?: Record<string, LinuxTimeOffset>;
  memoryPolicy?: JsonObject;
}

/** Codec of {@linkcode Linux}. */
export const Linux: ObjectCodec<Linux> = object("Linux", {
  uidMappings: whenSet(list(IDMapping)),
  gidMappings: whenSet(list(IDMapping)),
  sysctl: whenSet(map(string)),
  resources: whenSet(LinuxResources),
  cgroupsPath: whenSet(string),
  namespaces: whenSet(list(LinuxNamespace)),
  devices: whenSet(list(LinuxDevice)),
  netDevices: whenSet(jsonObject),
  seccomp: whenSet(LinuxSeccomp),
  rootfsPropagation: whenSet(string),
  maskedPaths: whenSet(list(string)),
  readonlyPaths: whenSet(list(string)),
  mountLabel: whenSet(string),
  intelRdt: whenSet(jsonObject),
  personality: whenSet(LinuxPersonality),
  timeOffsets: whenSet(map(LinuxTimeOffset)),
  memoryPolicy: whenSet(jsonObject),
}, { open: true });

/** Size of a terminal in characters. */
export interface ConsoleSize {
  height: number;
  width: number;
}

/** Codec of {@linkcode ConsoleSize}. */
export const ConsoleSize: ObjectCodec<ConsoleSize> = object("ConsoleSize", {
  height: always(uint32),
  width: always(uint32),
}, { open: true });

/** Who a process runs as. */
export interface User {
  uid: number;
  gid: number;
  umask?: number;
  additionalGids?: number[];
  /** A name, or `user:group`, that the guest resolves in the image. */
  username?: string;
}

/** Codec of {@linkcode User}. */
export const User: ObjectCodec<User> = object("User", {
  uid: always(uint32),
  gid: always(uint32),
  umask: whenSet(uint32),
  additionalGids: whenSet(list(uint32)),
  username: whenSet(string),
}, { open: true });

/** Sets of capability names. */
export interface Capabilities {
  bounding?: string[];
  effective?: string[];
  inheritable?: string[];
  permitted?: string[];
  ambient?: string[];
}

/** Codec of {@linkcode Capabilities}. */
export const Capabilities: ObjectCodec<Capabilities> = object("Capabilities", {
  bounding: whenSet(list(string)),
  effective: whenSet(list(string)),
  inheritable: whenSet(list(string)),
  permitted: whenSet(list(string)),
  ambient: whenSet(list(string)),
}, { open: true });

/** One resource limit. */
export interface Rlimit {
  /** For example `RLIMIT_NOFILE`. */
  type: string;
  hard: bigint;
  soft: bigint;
}

/** Codec of {@linkcode Rlimit}. */
export const Rlimit: ObjectCodec<Rlimit> = object("Rlimit", {
  type: always(string),
  hard: always(uint64),
  soft: always(uint64),
}, { open: true });

/** Scheduling of a process. */
export interface Scheduler {
  policy: string;
  nice?: number;
  priority?: number;
  flags?: string[];
  /** Nanoseconds. */
  runtime?: bigint;
  /** Nanoseconds. */
  deadline?: bigint;
  /** Nanoseconds. */
  period?: bigint;
}

/** Codec of {@linkcode Scheduler}. */
export const Scheduler: ObjectCodec<Scheduler> = object("Scheduler", {
  policy: always(string),
  nice: whenSet(int32),
  priority: whenSet(int32),
  flags: whenSet(list(string)),
  runtime: whenSet(uint64),
  deadline: whenSet(uint64),
  period: whenSet(uint64),
}, { open: true });

/** I/O priority of a process. */
export interface IOPriority {
  class: string;
  priority: number;
}

/** Codec of {@linkcode IOPriority}. */
export const IOPriority: ObjectCodec<IOPriority> = object("IOPriority", {
  class: always(string),
  priority: always(int32),
}, { open: true });

/** A process: the init process of a container, or an exec. */
export interface Process {
  terminal?: boolean;
  consoleSize?: ConsoleSize;
  user: User;
  args?: string[];
  /** Windows only. */
  commandLine?: string;
  /** `NAME=value`. */
  env?: string[];
  cwd: string;
  capabilities?: Capabilities;
  rlimits?: Rlimit[];
  noNewPrivileges?: boolean;
  apparmorProfile?: string;
  oomScoreAdj?: number;
  scheduler?: Scheduler;
  selinuxLabel?: string;
  ioPriority?: IOPriority;
  execCPUAffinity?: JsonObject;
}

/** Codec of {@linkcode Process}. */
export const Process: ObjectCodec<Process> = object("Process", {
  terminal: whenSet(boolean),
  consoleSize: whenSet(ConsoleSize),
  user: always(User),
  args: whenSet(list(string)),
  commandLine: whenSet(string),
  env: whenSet(list(string)),
  cwd: always(string),
  capabilities: whenSet(Capabilities),
  rlimits: whenSet(list(Rlimit)),
  noNewPrivileges: whenSet(boolean),
  apparmorProfile: whenSet(string),
  oomScoreAdj: whenSet(int32),
  scheduler: whenSet(Scheduler),
  selinuxLabel: whenSet(string),
  ioPriority: whenSet(IOPriority),
  execCPUAffinity: whenSet(jsonObject),
}, { open: true });

/** The root file system. */
export interface Root {
  path: string;
  readonly?: boolean;
}

/** Codec of {@linkcode Root}. */
export const Root: ObjectCodec<Root> = object("Root", {
  path: always(string),
  readonly: whenSet(boolean),
}, { open: true });

/** A mount of a container. */
export interface Mount {
  destination: string;
  type?: string;
  source?: string;
  options?: string[];
  uidMappings?: IDMapping[];
  gidMappings?: IDMapping[];
}

/** Codec of {@linkcode Mount}. */
export const Mount: ObjectCodec<Mount> = object("Mount", {
  destination: always(string),
  type: whenSet(string),
  source: whenSet(string),
  options: whenSet(list(string)),
  uidMappings: whenSet(list(IDMapping)),
  gidMappings: whenSet(list(IDMapping)),
}, { open: true });

/** A program that the runtime runs. */
export interface Hook {
  path: string;
  args?: string[];
  env?: string[];
  /** Seconds. */
  timeout?: number;
}

/** Codec of {@linkcode Hook}. */
export const Hook: ObjectCodec<Hook> = object("Hook", {
  path: always(string),
  args: whenSet(list(string)),
  env: whenSet(list(string)),
  timeout: whenSet(int32),
}, { open: true });

/** Programs that the runtime runs during the life of a container. */
export interface Hooks {
  prestart?: Hook[];
  createRuntime?: Hook[];
  createContainer?: Hook[];
  startContainer?: Hook[];
  poststart?: Hook[];
  poststop?: Hook[];
}

/** Codec of {@linkcode Hooks}. */
export const Hooks: ObjectCodec<Hooks> = object("Hooks", {
  prestart: whenSet(list(Hook)),
  createRuntime: whenSet(list(Hook)),
  createContainer: whenSet(list(Hook)),
  startContainer: whenSet(list(Hook)),
  poststart: whenSet(list(Hook)),
  poststop: whenSet(list(Hook)),
}, { open: true });

/** An assigned device. */
export interface WindowsDevice {
  id: string;
  idType: string;
}

/** Codec of {@linkcode WindowsDevice}. */
export const WindowsDevice: ObjectCodec<WindowsDevice> = object(
  "WindowsDevice",
  {
    id: always(string),
    idType: always(string),
  },
  { open: true },
);

/** Memory limits. */
export interface WindowsMemory {
  /** Bytes. */
  limit?: bigint;
}

/** Codec of {@linkcode WindowsMemory}. */
export const WindowsMemory: ObjectCodec<WindowsMemory> = object(
  "WindowsMemory",
  {
    limit: whenSet(uint64),
  },
  { open: true },
);

/** CPU limits. */
export interface WindowsCPU {
  count?: bigint;
  shares?: number;
  maximum?: number;
  affinity?: JsonObject[];
}

/** Codec of {@linkcode WindowsCPU}. */
export const WindowsCPU: ObjectCodec<WindowsCPU> = object("WindowsCPU", {
  count: whenSet(uint64),
  shares: whenSet(uint16),
  maximum: whenSet(uint16),
  affinity: whenSet(list(jsonObject)),
}, { open: true });

/** Storage limits. */
export interface WindowsStorage {
  iops?: bigint;
  bps?: bigint;
  /** Bytes. */
  sandboxSize?: bigint;
}

/** Codec of {@linkcode WindowsStorage}. */
export const WindowsStorage: ObjectCodec<WindowsStorage> = object(
  "WindowsStorage",
  {
    iops: whenSet(uint64),
    bps: whenSet(uint64),
    sandboxSize: whenSet(uint64),
  },
  { open: true },
);

/** Limits. */
export interface WindowsResources {
  memory?: WindowsMemory;
  cpu?: WindowsCPU;
  storage?: WindowsStorage;
}

/** Codec of {@linkcode WindowsResources}. */
export const WindowsResources: ObjectCodec<WindowsResources> = object(
  "WindowsResources",
  {
    memory: whenSet(WindowsMemory),
    cpu: whenSet(WindowsCPU),
    storage: whenSet(WindowsStorage),
  },
  { open: true },
);

/** Isolation in a VM. */
export interface WindowsHyperV {
  utilityVMPath?: string;
}

/** Codec of {@linkcode WindowsHyperV}. */
export const WindowsHyperV: ObjectCodec<WindowsHyperV> = object(
  "WindowsHyperV",
  {
    utilityVMPath: whenSet(string),
  },
  { open: true },
);

/** Network of a container. */
export interface WindowsNetwork {
  endpointList?: string[];
  allowUnqualifiedDNSQuery?: boolean;
  DNSSearchList?: string[];
  networkSharedContainerName?: string;
  /** GUID of the HCN namespace. */
  networkNamespace?: string;
}

/** Codec of {@linkcode WindowsNetwork}. */
export const WindowsNetwork: ObjectCodec<WindowsNetwork> = object(
  "WindowsNetwork",
  {
    endpointList: whenSet(list(string)),
    allowUnqualifiedDNSQuery: whenSet(boolean),
    DNSSearchList: whenSet(list(string)),
    networkSharedContainerName: whenSet(string),
    networkNamespace: whenSet(string),
  },
  { open: true },
);

/** What concerns the Windows host of a container. */
export interface Windows {
  /** Layers and, last, the scratch directory. Null in documents for a guest. */
  layerFolders?: string[] | null;
  devices?: WindowsDevice[];
  resources?: WindowsResources;
  credentialSpec?: Json;
  servicing?: boolean;
  ignoreFlushesDuringBoot?: boolean;
  hyperv?: WindowsHyperV;
  network?: WindowsNetwork;
}

/** Codec of {@linkcode Windows}. */
export const Windows: ObjectCodec<Windows> = object("Windows", {
  layerFolders: whenSet(nullable(list(string))),
  devices: whenSet(list(WindowsDevice)),
  resources: whenSet(WindowsResources),
  credentialSpec: whenSet(json),
  servicing: whenSet(boolean),
  ignoreFlushesDuringBoot: whenSet(boolean),
  hyperv: whenSet(WindowsHyperV),
  network: whenSet(WindowsNetwork),
}, { open: true });

/** The specification of a container (`config.json`). */
export interface Spec {
  /** Version of the specification, for example 1.1.0. */
  ociVersion: string;
  process?: Process;
  root?: Root;
  hostname?: string;
  domainname?: string;
  /** In the order in which they are mounted. */
  mounts?: Mount[];
  hooks?: Hooks;
  annotations?: Record<string, string>;
  linux?: Linux;
  windows?: Windows;
}

/** Codec of {@linkcode Spec}. */
export const Spec: ObjectCodec<Spec> = object("Spec", {
  ociVersion: always(string),
  process: whenSet(Process),
  root: whenSet(Root),
  hostname: whenSet(string),
  domainname: whenSet(string),
  mounts: whenSet(list(Mount)),
  hooks: whenSet(Hooks),
  annotations: whenSet(map(string)),
  linux: whenSet(Linux),
  windows: whenSet(Windows),
}, { open: true });
