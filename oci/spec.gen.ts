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
  /** First id in the container. */
  containerID: number;
  /** First id outside of it. */
  hostID: number;
  /** How many ids follow one another. */
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
  /** Whether the access is allowed or denied. */
  allow: boolean;
  /** a (all), c (character) or b (block); absent is all. */
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
  /** Most memory. */
  limit?: bigint;
  /** Soft limit, which matters when memory is scarce. */
  reservation?: bigint;
  /** Memory and swap together. */
  swap?: bigint;
  /** Most memory of the kernel; runc ignores it. */
  kernel?: bigint;
  /** Most memory of TCP buffers; only with cgroup version 1. */
  kernelTCP?: bigint;
  /** How readily memory is swapped out, 0 to 100. */
  swappiness?: bigint;
  /**
   * Processes wait for memory instead of being killed; only with cgroup version
   * 1.
   */
  disableOOMKiller?: boolean;
  /** Memory counts in the groups above too; only with cgroup version 1. */
  useHierarchy?: boolean;
  /** A limit below the usage is refused instead of set. */
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
  /** Weight against other groups; 1024 is usual. */
  shares?: bigint;
  /** Microseconds per period. */
  quota?: bigint;
  /** Microseconds. */
  burst?: bigint;
  /** Microseconds. */
  period?: bigint;
  /** Microseconds of real-time scheduling per period. */
  realtimeRuntime?: bigint;
  /** Length of that period, in microseconds. */
  realtimePeriod?: bigint;
  /** Processors that may be used, such as `0-3,7`. */
  cpus?: string;
  /** NUMA nodes whose memory may be used, such as `0-1`. */
  mems?: string;
  /** 1 runs the group only when a processor is idle. */
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
  /** Most processes and threads; -1 is no limit. */
  limit?: bigint;
}

/** Codec of {@linkcode LinuxPids}. */
export const LinuxPids: ObjectCodec<LinuxPids> = object("LinuxPids", {
  limit: whenSet(int64),
}, { open: true });

/** Share of one block device. */
export interface LinuxWeightDevice {
  /** Major number of the device. */
  major: bigint;
  /** Minor number of the device. */
  minor: bigint;
  /** Share against other groups, 10 to 1000. */
  weight?: number;
  /** Share of the group's own processes against groups below, 10 to 1000. */
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
  /** Major number of the device. */
  major: bigint;
  /** Minor number of the device. */
  minor: bigint;
  /** Bytes or operations per second, as the list says. */
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
  /** Share against other groups, 10 to 1000. */
  weight?: number;
  /** Share of the group's own processes against groups below, 10 to 1000. */
  leafWeight?: number;
  /** Shares that differ for single devices. */
  weightDevice?: LinuxWeightDevice[];
  /** Limits of reads, in bytes per second. */
  throttleReadBpsDevice?: LinuxThrottleDevice[];
  /** Limits of writes, in bytes per second. */
  throttleWriteBpsDevice?: LinuxThrottleDevice[];
  /** Limits of reads, in operations per second. */
  throttleReadIOPSDevice?: LinuxThrottleDevice[];
  /** Limits of writes, in operations per second. */
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
  /** Name of the interface in the container. */
  name: string;
  /** Priority of what is sent through it. */
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
  /** Class that packets are tagged with. */
  classID?: number;
  /** Priorities by interface. */
  priorities?: LinuxInterfacePriority[];
}

/** Codec of {@linkcode LinuxNetwork}. */
export const LinuxNetwork: ObjectCodec<LinuxNetwork> = object("LinuxNetwork", {
  classID: whenSet(uint32),
  priorities: whenSet(list(LinuxInterfacePriority)),
}, { open: true });

/** Limits of one RDMA device. */
export interface LinuxRdma {
  /** Most handles of the adapter. */
  hcaHandles?: number;
  /** Most objects of the adapter. */
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
  /** Memory and swap. */
  memory?: LinuxMemory;
  /** Processor time, and which processors. */
  cpu?: LinuxCPU;
  /** Number of processes. */
  pids?: LinuxPids;
  /** Shares and limits of block devices. */
  blockIO?: LinuxBlockIO;
  /** Huge pages, one entry per page size. */
  hugepageLimits?: LinuxHugepageLimit[];
  /** Class and priorities of network traffic. */
  network?: LinuxNetwork;
  /** RDMA, by name of the device. */
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
  /** File of the namespace to join; absent makes a new one. */
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
  /** Where the node is made, in the container. */
  path: string;
  /** c, b, u or p. */
  type: string;
  /** Major number; not for pipes. */
  major?: bigint;
  /** Minor number; not for pipes. */
  minor?: bigint;
  /** Permissions of the node. */
  fileMode?: number;
  /** Owner of the node, in the container. */
  uid?: number;
  /** Group of the node, in the container. */
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
  /** Which argument, from 0. */
  index: number;
  /** What it is compared with; the mask of `SCMP_CMP_MASKED_EQ`. */
  value: bigint;
  /** What the masked argument is compared with, for `SCMP_CMP_MASKED_EQ`. */
  valueTwo?: bigint;
  /** Comparison, such as `SCMP_CMP_EQ`. */
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
  /** Names of the system calls. */
  names: string[];
  /** What happens, such as `SCMP_ACT_ALLOW`. */
  action: string;
  /** Error number of `SCMP_ACT_ERRNO`; absent is EPERM. */
  errnoRet?: number;
  /** Conditions, which must all hold; absent is always. */
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
  /** What happens to calls without a rule, such as `SCMP_ACT_ERRNO`. */
  defaultAction: string;
  /** Error number of the default action; absent is EPERM. */
  defaultErrnoRet?: number;
  /** Architectures of the calls, such as `SCMP_ARCH_X86_64`. */
  architectures?: string[];
  /** Flags of seccomp(2), such as `SECCOMP_FILTER_FLAG_LOG`. */
  flags?: string[];
  /** Unix socket of the program that `SCMP_ACT_NOTIFY` asks. */
  listenerPath?: string;
  /** Opaque text for that program. */
  listenerMetadata?: string;
  /** Rules for single calls. */
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
  /** `LINUX` or `LINUX32`. */
  domain: string;
  /** Further flags; none are defined yet. */
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
  /** Seconds. */
  secs?: bigint;
  /** Nanoseconds beside the seconds. */
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
  /** User ids of a user namespace. */
  uidMappings?: IDMapping[];
  /** Group ids of a user namespace. */
  gidMappings?: IDMapping[];
  /** Kernel parameters of the container's namespaces, by name. */
  sysctl?: Record<string, string>;
  /** Limits of the container's cgroup. */
  resources?: LinuxResources;
  /** Path of the cgroup; the guest chooses it, so the host clears it. */
  cgroupsPath?: string;
  /**
   * Namespaces of the container, new ones and those to join; all others are the
   * runtime's.
   */
  namespaces?: LinuxNamespace[];
  /** Device nodes to make, beside the default ones. */
  devices?: LinuxDevice[];
  /** Network devices to move into the container, by name. */
  netDevices?: JsonObject;
  /** Filter of system calls; absent allows all. */
  seccomp?: LinuxSeccomp;
  /**
   * Propagation of mounts of the root: `shared`, `slave`, `private` or
   * `unbindable`.
   */
  rootfsPropagation?: string;
  /** Paths that the container cannot read. */
  maskedPaths?: string[];
  /** Paths that the container cannot write to. */
  readonlyPaths?: string[];
  /** SELinux label of the container's mounts. */
  mountLabel?: string;
  /** Cache and memory bandwidth by Intel RDT; passed through. */
  intelRdt?: JsonObject;
  /** Execution domain of the processes. */
  personality?: LinuxPersonality;
  /** Offsets of the clocks of a time namespace: `monotonic` and `boottime`. */
  timeOffsets?: Record<string, LinuxTimeOffset>;
  /** NUMA memory policy of the processes; passed through. */
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
  /** Rows. */
  height: number;
  /** Columns. */
  width: number;
}

/** Codec of {@linkcode ConsoleSize}. */
export const ConsoleSize: ObjectCodec<ConsoleSize> = object("ConsoleSize", {
  height: always(uint32),
  width: always(uint32),
}, { open: true });

/** Who a process runs as. */
export interface User {
  /** User id in the container. */
  uid: number;
  /** Group id in the container. */
  gid: number;
  /** Permissions that new files do not get; absent leaves that of the runtime. */
  umask?: number;
  /** Further groups of the process. */
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
export interface LinuxCapabilities {
  /** The most that execve(2) can give. */
  bounding?: string[];
  /** What the kernel checks. */
  effective?: string[];
  /** What is kept across execve(2) of a file that has them. */
  inheritable?: string[];
  /** What the process may make effective. */
  permitted?: string[];
  /** What is kept across execve(2) of any file. */
  ambient?: string[];
}

/** Codec of {@linkcode LinuxCapabilities}. */
export const LinuxCapabilities: ObjectCodec<LinuxCapabilities> = object(
  "LinuxCapabilities",
  {
    bounding: whenSet(list(string)),
    effective: whenSet(list(string)),
    inheritable: whenSet(list(string)),
    permitted: whenSet(list(string)),
    ambient: whenSet(list(string)),
  },
  { open: true },
);

/** One resource limit. */
export interface Rlimit {
  /** For example `RLIMIT_NOFILE`. */
  type: string;
  /** How far an unprivileged process can raise the soft limit. */
  hard: bigint;
  /** The limit that the kernel enforces. */
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
  /** Such as `SCHED_OTHER`, `SCHED_FIFO` and `SCHED_DEADLINE`. */
  policy: string;
  /** Niceness, -20 to 19, for `SCHED_OTHER` and `SCHED_BATCH`. */
  nice?: number;
  /** Static priority, for `SCHED_FIFO` and `SCHED_RR`. */
  priority?: number;
  /** Flags of sched_setattr(2), such as `SCHED_FLAG_RESET_ON_FORK`. */
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
  /** `IOPRIO_CLASS_RT`, `IOPRIO_CLASS_BE` or `IOPRIO_CLASS_IDLE`. */
  class: string;
  /** Level in the class, 0 (first) to 7. */
  priority: number;
}

/** Codec of {@linkcode IOPriority}. */
export const IOPriority: ObjectCodec<IOPriority> = object("IOPriority", {
  class: always(string),
  priority: always(int32),
}, { open: true });

/** A process: the init process of a container, or an exec. */
export interface Process {
  /** The process has a terminal of its own. */
  terminal?: boolean;
  /** Size that the terminal starts with. */
  consoleSize?: ConsoleSize;
  /** Who the process runs as. */
  user: User;
  /** Program and arguments. */
  args?: string[];
  /** Windows only. */
  commandLine?: string;
  /** `NAME=value`. */
  env?: string[];
  /** Working directory, an absolute path in the container. */
  cwd: string;
  /** Capabilities of the process; absent is none. */
  capabilities?: LinuxCapabilities;
  /** Limits of the process, each type once. */
  rlimits?: Rlimit[];
  /** execve(2) gives no new privileges. */
  noNewPrivileges?: boolean;
  /** Name of the AppArmor profile. */
  apparmorProfile?: string;
  /** How early the process is killed when memory is out, -1000 to 1000. */
  oomScoreAdj?: number;
  /** How the kernel schedules the process; absent is as the runtime. */
  scheduler?: Scheduler;
  /** SELinux label of the process. */
  selinuxLabel?: string;
  /** Priority of the process's I/O; absent is as the runtime. */
  ioPriority?: IOPriority;
  /** Processors that an exec starts on; passed through. */
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
  capabilities: whenSet(LinuxCapabilities),
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
  /** Directory of the root file system; the host puts that in the guest. */
  path: string;
  /** The container cannot write to its root. */
  readonly?: boolean;
}

/** Codec of {@linkcode Root}. */
export const Root: ObjectCodec<Root> = object("Root", {
  path: always(string),
  readonly: whenSet(boolean),
}, { open: true });

/** A mount of a container. */
export interface Mount {
  /** Absolute path in the container. */
  destination: string;
  /**
   * File system; or the kind of disk that the host attaches, such as
   * `virtual-disk`.
   */
  type?: string;
  /** Device, path or URI such as `sandbox://…`. */
  source?: string;
  /** Options of mount(8), such as `ro` and `rbind`. */
  options?: string[];
  /** User ids of an id-mapped mount. */
  uidMappings?: IDMapping[];
  /** Group ids of an id-mapped mount. */
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
  /** Absolute path of the program. */
  path: string;
  /** Arguments, beginning with the name of the program. */
  args?: string[];
  /** Its whole environment, as `NAME=value`. */
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
  /**
   * After the namespaces are made, before the user's program; superseded by
   * `createRuntime`.
   */
  prestart?: Hook[];
  /** During create, in the namespaces of the runtime. */
  createRuntime?: Hook[];
  /**
   * During create, in the namespaces of the container, before its root is
   * entered.
   */
  createContainer?: Hook[];
  /** During start, in the container, before the user's program. */
  startContainer?: Hook[];
  /** After the user's program was started. */
  poststart?: Hook[];
  /** After the container was deleted. */
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
  /**
   * PCI instance path, with the index of a virtual function or without; for the
   * guest the GUID of the vmbus device.
   */
  id: string;
  /** `gpu`, `vpci` or `vpci-instance-id`. */
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
  /** Number of processors. */
  count?: bigint;
  /** Weight against other containers, 0 to 10000. */
  shares?: number;
  /** Most of all processor time, in hundredths of a percent. */
  maximum?: number;
  /** Processors that may be used, by group. */
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
  /** Operations per second on the system drive. */
  iops?: bigint;
  /** Bytes per second on the system drive. */
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
  /** Limit of the memory. */
  memory?: WindowsMemory;
  /** Limits of the processor time. */
  cpu?: WindowsCPU;
  /** Limits of the system drive. */
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
  /** Path of the image of the VM; absent looks in the layers. */
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
  /** Ids of the HCN endpoints. */
  endpointList?: string[];
  /** DNS names without a dot are looked up too. */
  allowUnqualifiedDNSQuery?: boolean;
  /** Suffixes that such names are completed with. */
  DNSSearchList?: string[];
  /** Container whose network this one shares. */
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
  /** Devices of the host that the VM is given. */
  devices?: WindowsDevice[];
  /** Limits that Windows keeps. */
  resources?: WindowsResources;
  /** Group managed service account; the guest does not get it. */
  credentialSpec?: Json;
  /** The container is run to service its image. */
  servicing?: boolean;
  /** Flushes to the scratch disk are left out while it boots. */
  ignoreFlushesDuringBoot?: boolean;
  /** Its presence asks for a VM around a Windows container. */
  hyperv?: WindowsHyperV;
  /** Namespace and endpoints of the host. */
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
  /** The init process; absent when the container is never started. */
  process?: Process;
  /** The root file system. */
  root?: Root;
  /** Host name in the container's UTS namespace. */
  hostname?: string;
  /** NIS domain name in the container's UTS namespace. */
  domainname?: string;
  /** In the order in which they are mounted. */
  mounts?: Mount[];
  /** Programs that the runtime runs; the host removes them. */
  hooks?: Hooks;
  /**
   * Free names and values; `oci/annotations.ts` knows those that mean something
   * here.
   */
  annotations?: Record<string, string>;
  /** Its presence makes this a Linux container. */
  linux?: Linux;
  /** Layers and devices of the Windows host, which also a Linux container has. */
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
