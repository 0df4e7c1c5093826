/**
 * The pod configuration of the Kubernetes runtime interface. Generated from
 * `schema/proto/runtime/v1/api.proto` by `deno task codegen`; do not edit.
 *
 * @module
 */

import { message, type MessageType } from "../message.ts";
import {
  readInt64,
  readMessage,
  readPacked,
  readStringEntry,
  readUint64,
  skipField,
  writeInt64,
  writeMessage,
  writePacked,
  writeStringMap,
} from "../wire.ts";

/** A pod, as CRI describes it. */
export interface PodSandboxConfig {
  metadata?: PodSandboxMetadata;
  hostname: string;
  logDirectory: string;
  dnsConfig?: DNSConfig;
  portMappings: PortMapping[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  linux?: LinuxPodSandboxConfig;
  windows?: WindowsPodSandboxConfig;
}

/** Codec of {@linkcode PodSandboxConfig}. */
export const PodSandboxConfig: MessageType<PodSandboxConfig> = message(
  "runtime.v1.PodSandboxConfig",
  {
    write(value, writer) {
      if (value.metadata) {
        writeMessage(
          writer,
          10,
          PodSandboxMetadata,
          value.metadata,
        );
      }
      if (value.hostname) writer.uint32(18).string(value.hostname);
      if (value.logDirectory) writer.uint32(26).string(value.logDirectory);
      if (value.dnsConfig) writeMessage(writer, 34, DNSConfig, value.dnsConfig);
      for (const item of value.portMappings ?? []) {
        writeMessage(writer, 42, PortMapping, item);
      }
      writeStringMap(writer, 50, value.labels);
      writeStringMap(writer, 58, value.annotations);
      if (value.linux) {
        writeMessage(
          writer,
          66,
          LinuxPodSandboxConfig,
          value.linux,
        );
      }
      if (value.windows) {
        writeMessage(
          writer,
          74,
          WindowsPodSandboxConfig,
          value.windows,
        );
      }
    },
    read(reader) {
      const value: PodSandboxConfig = {
        hostname: "",
        logDirectory: "",
        portMappings: [],
        labels: {},
        annotations: {},
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.metadata = readMessage(reader, PodSandboxMetadata);
            break;
          case 18:
            value.hostname = reader.string();
            break;
          case 26:
            value.logDirectory = reader.string();
            break;
          case 34:
            value.dnsConfig = readMessage(reader, DNSConfig);
            break;
          case 42:
            value.portMappings.push(readMessage(reader, PortMapping));
            break;
          case 50:
            readStringEntry(reader, value.labels);
            break;
          case 58:
            readStringEntry(reader, value.annotations);
            break;
          case 66:
            value.linux = readMessage(reader, LinuxPodSandboxConfig);
            break;
          case 74:
            value.windows = readMessage(reader, WindowsPodSandboxConfig);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Name of a pod. */
export interface PodSandboxMetadata {
  name: string;
  uid: string;
  namespace: string;
  attempt: number;
}

/** Codec of {@linkcode PodSandboxMetadata}. */
export const PodSandboxMetadata: MessageType<PodSandboxMetadata> = message(
  "runtime.v1.PodSandboxMetadata",
  {
    write(value, writer) {
      if (value.name) writer.uint32(10).string(value.name);
      if (value.uid) writer.uint32(18).string(value.uid);
      if (value.namespace) writer.uint32(26).string(value.namespace);
      if (value.attempt) writer.uint32(32).uint32(value.attempt);
    },
    read(reader) {
      const value: PodSandboxMetadata = {
        name: "",
        uid: "",
        namespace: "",
        attempt: 0,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.name = reader.string();
            break;
          case 18:
            value.uid = reader.string();
            break;
          case 26:
            value.namespace = reader.string();
            break;
          case 32:
            value.attempt = reader.uint32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Name resolution of a pod. */
export interface DNSConfig {
  servers: string[];
  searches: string[];
  options: string[];
}

/** Codec of {@linkcode DNSConfig}. */
export const DNSConfig: MessageType<DNSConfig> = message(
  "runtime.v1.DNSConfig",
  {
    write(value, writer) {
      for (const item of value.servers ?? []) writer.uint32(10).string(item);
      for (const item of value.searches ?? []) writer.uint32(18).string(item);
      for (const item of value.options ?? []) writer.uint32(26).string(item);
    },
    read(reader) {
      const value: DNSConfig = { servers: [], searches: [], options: [] };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.servers.push(reader.string());
            break;
          case 18:
            value.searches.push(reader.string());
            break;
          case 26:
            value.options.push(reader.string());
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A port of the host that leads to the pod. */
export interface PortMapping {
  protocol: Protocol;
  containerPort: number;
  hostPort: number;
  hostIp: string;
}

/** Codec of {@linkcode PortMapping}. */
export const PortMapping: MessageType<PortMapping> = message(
  "runtime.v1.PortMapping",
  {
    write(value, writer) {
      if (value.protocol) writer.uint32(8).int32(value.protocol);
      if (value.containerPort) writer.uint32(16).int32(value.containerPort);
      if (value.hostPort) writer.uint32(24).int32(value.hostPort);
      if (value.hostIp) writer.uint32(34).string(value.hostIp);
    },
    read(reader) {
      const value: PortMapping = {
        protocol: 0,
        containerPort: 0,
        hostPort: 0,
        hostIp: "",
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.protocol = reader.int32();
            break;
          case 16:
            value.containerPort = reader.int32();
            break;
          case 24:
            value.hostPort = reader.int32();
            break;
          case 34:
            value.hostIp = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Protocol of a port mapping. */
export const Protocol = {
  TCP: 0,
  UDP: 1,
  SCTP: 2,
} as const;

/** Protocol of a port mapping. Unknown numbers are kept. */
export type Protocol = number;

/** What concerns Linux pods. */
export interface LinuxPodSandboxConfig {
  cgroupParent: string;
  securityContext?: LinuxSandboxSecurityContext;
  sysctls: Record<string, string>;
  overhead?: LinuxContainerResources;
  resources?: LinuxContainerResources;
}

/** Codec of {@linkcode LinuxPodSandboxConfig}. */
export const LinuxPodSandboxConfig: MessageType<LinuxPodSandboxConfig> =
  message("runtime.v1.LinuxPodSandboxConfig", {
    write(value, writer) {
      if (value.cgroupParent) writer.uint32(10).string(value.cgroupParent);
      if (value.securityContext) {
        writeMessage(
          writer,
          18,
          LinuxSandboxSecurityContext,
          value.securityContext,
        );
      }
      writeStringMap(writer, 26, value.sysctls);
      if (value.overhead) {
        writeMessage(writer, 34, LinuxContainerResources, value.overhead);
      }
      if (value.resources) {
        writeMessage(writer, 42, LinuxContainerResources, value.resources);
      }
    },
    read(reader) {
      const value: LinuxPodSandboxConfig = { cgroupParent: "", sysctls: {} };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.cgroupParent = reader.string();
            break;
          case 18:
            value.securityContext = readMessage(
              reader,
              LinuxSandboxSecurityContext,
            );
            break;
          case 26:
            readStringEntry(reader, value.sysctls);
            break;
          case 34:
            value.overhead = readMessage(reader, LinuxContainerResources);
            break;
          case 42:
            value.resources = readMessage(reader, LinuxContainerResources);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  });

/** Security settings of a Linux pod. */
export interface LinuxSandboxSecurityContext {
  namespaceOptions?: NamespaceOption;
  selinuxOptions?: SELinuxOption;
  runAsUser?: Int64Value;
  runAsGroup?: Int64Value;
  readonlyRootfs: boolean;
  supplementalGroups: bigint[];
  supplementalGroupsPolicy: SupplementalGroupsPolicy;
  privileged: boolean;
  seccomp?: SecurityProfile;
  apparmor?: SecurityProfile;
  seccompProfilePath: string;
}

/** Codec of {@linkcode LinuxSandboxSecurityContext}. */
export const LinuxSandboxSecurityContext: MessageType<
  LinuxSandboxSecurityContext
> = message("runtime.v1.LinuxSandboxSecurityContext", {
  write(value, writer) {
    if (value.namespaceOptions) {
      writeMessage(writer, 10, NamespaceOption, value.namespaceOptions);
    }
    if (value.selinuxOptions) {
      writeMessage(writer, 18, SELinuxOption, value.selinuxOptions);
    }
    if (value.runAsUser) writeMessage(writer, 26, Int64Value, value.runAsUser);
    if (value.runAsGroup) {
      writeMessage(writer, 66, Int64Value, value.runAsGroup);
    }
    if (value.readonlyRootfs) writer.uint32(32).bool(value.readonlyRootfs);
    writePacked(writer, 42, value.supplementalGroups, (writer, item) => {
      writeInt64(writer, item);
    });
    if (value.supplementalGroupsPolicy) {
      writer.uint32(88).int32(value.supplementalGroupsPolicy);
    }
    if (value.privileged) writer.uint32(48).bool(value.privileged);
    if (value.seccomp) writeMessage(writer, 74, SecurityProfile, value.seccomp);
    if (value.apparmor) {
      writeMessage(writer, 82, SecurityProfile, value.apparmor);
    }
    if (value.seccompProfilePath) {
      writer.uint32(58).string(value.seccompProfilePath);
    }
  },
  read(reader) {
    const value: LinuxSandboxSecurityContext = {
      readonlyRootfs: false,
      supplementalGroups: [],
      supplementalGroupsPolicy: 0,
      privileged: false,
      seccompProfilePath: "",
    };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 10:
          value.namespaceOptions = readMessage(reader, NamespaceOption);
          break;
        case 18:
          value.selinuxOptions = readMessage(reader, SELinuxOption);
          break;
        case 26:
          value.runAsUser = readMessage(reader, Int64Value);
          break;
        case 66:
          value.runAsGroup = readMessage(reader, Int64Value);
          break;
        case 32:
          value.readonlyRootfs = reader.bool();
          break;
        case 42:
          readPacked(
            reader,
            value.supplementalGroups,
            (reader) => readInt64(reader),
          );
          break;
        case 40:
          value.supplementalGroups.push(readInt64(reader));
          break;
        case 88:
          value.supplementalGroupsPolicy = reader.int32();
          break;
        case 48:
          value.privileged = reader.bool();
          break;
        case 74:
          value.seccomp = readMessage(reader, SecurityProfile);
          break;
        case 82:
          value.apparmor = readMessage(reader, SecurityProfile);
          break;
        case 58:
          value.seccompProfilePath = reader.string();
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** Which namespaces a pod shares. */
export interface NamespaceOption {
  network: NamespaceMode;
  pid: NamespaceMode;
  ipc: NamespaceMode;
  targetId: string;
  usernsOptions?: UserNamespace;
}

/** Codec of {@linkcode NamespaceOption}. */
export const NamespaceOption: MessageType<NamespaceOption> = message(
  "runtime.v1.NamespaceOption",
  {
    write(value, writer) {
      if (value.network) writer.uint32(8).int32(value.network);
      if (value.pid) writer.uint32(16).int32(value.pid);
      if (value.ipc) writer.uint32(24).int32(value.ipc);
      if (value.targetId) writer.uint32(34).string(value.targetId);
      if (value.usernsOptions) {
        writeMessage(
          writer,
          42,
          UserNamespace,
          value.usernsOptions,
        );
      }
    },
    read(reader) {
      const value: NamespaceOption = {
        network: 0,
        pid: 0,
        ipc: 0,
        targetId: "",
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.network = reader.int32();
            break;
          case 16:
            value.pid = reader.int32();
            break;
          case 24:
            value.ipc = reader.int32();
            break;
          case 34:
            value.targetId = reader.string();
            break;
          case 42:
            value.usernsOptions = readMessage(reader, UserNamespace);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** With whom a namespace is shared. */
export const NamespaceMode = {
  POD: 0,
  CONTAINER: 1,
  NODE: 2,
  TARGET: 3,
} as const;

/** With whom a namespace is shared. Unknown numbers are kept. */
export type NamespaceMode = number;

/** User namespace of a pod. */
export interface UserNamespace {
  mode: NamespaceMode;
  uids: IDMapping[];
  gids: IDMapping[];
}

/** Codec of {@linkcode UserNamespace}. */
export const UserNamespace: MessageType<UserNamespace> = message(
  "runtime.v1.UserNamespace",
  {
    write(value, writer) {
      if (value.mode) writer.uint32(8).int32(value.mode);
      for (const item of value.uids ?? []) {
        writeMessage(writer, 18, IDMapping, item);
      }
      for (const item of value.gids ?? []) {
        writeMessage(writer, 26, IDMapping, item);
      }
    },
    read(reader) {
      const value: UserNamespace = { mode: 0, uids: [], gids: [] };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.mode = reader.int32();
            break;
          case 18:
            value.uids.push(readMessage(reader, IDMapping));
            break;
          case 26:
            value.gids.push(readMessage(reader, IDMapping));
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A range of mapped user or group ids. */
export interface IDMapping {
  hostId: number;
  containerId: number;
  length: number;
}

/** Codec of {@linkcode IDMapping}. */
export const IDMapping: MessageType<IDMapping> = message(
  "runtime.v1.IDMapping",
  {
    write(value, writer) {
      if (value.hostId) writer.uint32(8).uint32(value.hostId);
      if (value.containerId) writer.uint32(16).uint32(value.containerId);
      if (value.length) writer.uint32(24).uint32(value.length);
    },
    read(reader) {
      const value: IDMapping = { hostId: 0, containerId: 0, length: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.hostId = reader.uint32();
            break;
          case 16:
            value.containerId = reader.uint32();
            break;
          case 24:
            value.length = reader.uint32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** SELinux label. */
export interface SELinuxOption {
  user: string;
  role: string;
  type: string;
  level: string;
}

/** Codec of {@linkcode SELinuxOption}. */
export const SELinuxOption: MessageType<SELinuxOption> = message(
  "runtime.v1.SELinuxOption",
  {
    write(value, writer) {
      if (value.user) writer.uint32(10).string(value.user);
      if (value.role) writer.uint32(18).string(value.role);
      if (value.type) writer.uint32(26).string(value.type);
      if (value.level) writer.uint32(34).string(value.level);
    },
    read(reader) {
      const value: SELinuxOption = { user: "", role: "", type: "", level: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.user = reader.string();
            break;
          case 18:
            value.role = reader.string();
            break;
          case 26:
            value.type = reader.string();
            break;
          case 34:
            value.level = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** An integer that may be absent. */
export interface Int64Value {
  value: bigint;
}

/** Codec of {@linkcode Int64Value}. */
export const Int64Value: MessageType<Int64Value> = message(
  "runtime.v1.Int64Value",
  {
    write(value, writer) {
      if (value.value) writeInt64(writer.uint32(8), value.value);
    },
    read(reader) {
      const value: Int64Value = { value: 0n };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.value = readInt64(reader);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Which supplementary groups apply. */
export const SupplementalGroupsPolicy = {
  Merge: 0,
  Strict: 1,
} as const;

/** Which supplementary groups apply. Unknown numbers are kept. */
export type SupplementalGroupsPolicy = number;

/** Where a profile comes from. */
export const SecurityProfileProfileType = {
  RuntimeDefault: 0,
  Unconfined: 1,
  Localhost: 2,
} as const;

/** Where a profile comes from. Unknown numbers are kept. */
export type SecurityProfileProfileType = number;

/** A seccomp or AppArmor profile. */
export interface SecurityProfile {
  profileType: SecurityProfileProfileType;
  localhostRef: string;
}

/** Codec of {@linkcode SecurityProfile}. */
export const SecurityProfile: MessageType<SecurityProfile> = message(
  "runtime.v1.SecurityProfile",
  {
    write(value, writer) {
      if (value.profileType) writer.uint32(8).int32(value.profileType);
      if (value.localhostRef) writer.uint32(18).string(value.localhostRef);
    },
    read(reader) {
      const value: SecurityProfile = { profileType: 0, localhostRef: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.profileType = reader.int32();
            break;
          case 18:
            value.localhostRef = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Limits of Linux containers. */
export interface LinuxContainerResources {
  cpuPeriod: bigint;
  cpuQuota: bigint;
  cpuShares: bigint;
  memoryLimitInBytes: bigint;
  oomScoreAdj: bigint;
  cpusetCpus: string;
  cpusetMems: string;
  hugepageLimits: HugepageLimit[];
  unified: Record<string, string>;
  memorySwapLimitInBytes: bigint;
}

/** Codec of {@linkcode LinuxContainerResources}. */
export const LinuxContainerResources: MessageType<LinuxContainerResources> =
  message("runtime.v1.LinuxContainerResources", {
    write(value, writer) {
      if (value.cpuPeriod) writeInt64(writer.uint32(8), value.cpuPeriod);
      if (value.cpuQuota) writeInt64(writer.uint32(16), value.cpuQuota);
      if (value.cpuShares) writeInt64(writer.uint32(24), value.cpuShares);
      if (value.memoryLimitInBytes) {
        writeInt64(writer.uint32(32), value.memoryLimitInBytes);
      }
      if (value.oomScoreAdj) writeInt64(writer.uint32(40), value.oomScoreAdj);
      if (value.cpusetCpus) writer.uint32(50).string(value.cpusetCpus);
      if (value.cpusetMems) writer.uint32(58).string(value.cpusetMems);
      for (const item of value.hugepageLimits ?? []) {
        writeMessage(writer, 66, HugepageLimit, item);
      }
      writeStringMap(writer, 74, value.unified);
      if (value.memorySwapLimitInBytes) {
        writeInt64(writer.uint32(80), value.memorySwapLimitInBytes);
      }
    },
    read(reader) {
      const value: LinuxContainerResources = {
        cpuPeriod: 0n,
        cpuQuota: 0n,
        cpuShares: 0n,
        memoryLimitInBytes: 0n,
        oomScoreAdj: 0n,
        cpusetCpus: "",
        cpusetMems: "",
        hugepageLimits: [],
        unified: {},
        memorySwapLimitInBytes: 0n,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.cpuPeriod = readInt64(reader);
            break;
          case 16:
            value.cpuQuota = readInt64(reader);
            break;
          case 24:
            value.cpuShares = readInt64(reader);
            break;
          case 32:
            value.memoryLimitInBytes = readInt64(reader);
            break;
          case 40:
            value.oomScoreAdj = readInt64(reader);
            break;
          case 50:
            value.cpusetCpus = reader.string();
            break;
          case 58:
            value.cpusetMems = reader.string();
            break;
          case 66:
            value.hugepageLimits.push(readMessage(reader, HugepageLimit));
            break;
          case 74:
            readStringEntry(reader, value.unified);
            break;
          case 80:
            value.memorySwapLimitInBytes = readInt64(reader);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  });

/** Limit of huge pages of one size. */
export interface HugepageLimit {
  pageSize: string;
  limit: bigint;
}

/** Codec of {@linkcode HugepageLimit}. */
export const HugepageLimit: MessageType<HugepageLimit> = message(
  "runtime.v1.HugepageLimit",
  {
    write(value, writer) {
      if (value.pageSize) writer.uint32(10).string(value.pageSize);
      if (value.limit) writeInt64(writer.uint32(16), value.limit);
    },
    read(reader) {
      const value: HugepageLimit = { pageSize: "", limit: 0n };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.pageSize = reader.string();
            break;
          case 16:
            value.limit = readUint64(reader);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** What concerns Windows pods. */
export interface WindowsPodSandboxConfig {
  securityContext?: WindowsSandboxSecurityContext;
}

/** Codec of {@linkcode WindowsPodSandboxConfig}. */
export const WindowsPodSandboxConfig: MessageType<WindowsPodSandboxConfig> =
  message("runtime.v1.WindowsPodSandboxConfig", {
    write(value, writer) {
      if (value.securityContext) {
        writeMessage(
          writer,
          10,
          WindowsSandboxSecurityContext,
          value.securityContext,
        );
      }
    },
    read(reader) {
      const value: WindowsPodSandboxConfig = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.securityContext = readMessage(
              reader,
              WindowsSandboxSecurityContext,
            );
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  });

/** Security settings of a Windows pod. */
export interface WindowsSandboxSecurityContext {
  runAsUsername: string;
  credentialSpec: string;
  hostProcess: boolean;
  namespaceOptions?: WindowsNamespaceOption;
}

/** Codec of {@linkcode WindowsSandboxSecurityContext}. */
export const WindowsSandboxSecurityContext: MessageType<
  WindowsSandboxSecurityContext
> = message("runtime.v1.WindowsSandboxSecurityContext", {
  write(value, writer) {
    if (value.runAsUsername) writer.uint32(10).string(value.runAsUsername);
    if (value.credentialSpec) writer.uint32(18).string(value.credentialSpec);
    if (value.hostProcess) writer.uint32(24).bool(value.hostProcess);
    if (value.namespaceOptions) {
      writeMessage(writer, 34, WindowsNamespaceOption, value.namespaceOptions);
    }
  },
  read(reader) {
    const value: WindowsSandboxSecurityContext = {
      runAsUsername: "",
      credentialSpec: "",
      hostProcess: false,
    };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 10:
          value.runAsUsername = reader.string();
          break;
        case 18:
          value.credentialSpec = reader.string();
          break;
        case 24:
          value.hostProcess = reader.bool();
          break;
        case 34:
          value.namespaceOptions = readMessage(reader, WindowsNamespaceOption);
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** Which namespaces a Windows pod shares. */
export interface WindowsNamespaceOption {
  network: NamespaceMode;
}

/** Codec of {@linkcode WindowsNamespaceOption}. */
export const WindowsNamespaceOption: MessageType<WindowsNamespaceOption> =
  message("runtime.v1.WindowsNamespaceOption", {
    write(value, writer) {
      if (value.network) writer.uint32(8).int32(value.network);
    },
    read(reader) {
      const value: WindowsNamespaceOption = { network: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.network = reader.int32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  });
