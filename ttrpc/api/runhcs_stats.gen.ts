/**
 * Statistics of tasks and VMs. Generated from
 * `schema/proto/containerd/runhcs/stats/v1/stats.proto` by `deno task
 * codegen`; do not edit.
 *
 * @module
 */

import { Timestamp } from "./any.gen.ts";
import { Metrics } from "./cgroups_v1.gen.ts";
import { message, type MessageType } from "../message.ts";
import {
  readMessage,
  readUint64,
  skipField,
  writeInt64,
  writeMessage,
} from "../wire.ts";

/** Statistics of a task. */
export interface Statistics {
  windows?: WindowsContainerStatistics;
  /** Also when the guest has cgroup version 2. */
  linux?: Metrics;
  vm?: VirtualMachineStatistics;
}

/** Codec of {@linkcode Statistics}. */
export const Statistics: MessageType<Statistics> = message(
  "containerd.runhcs.stats.v1.Statistics",
  {
    write(value, writer) {
      if (value.windows) {
        writeMessage(
          writer,
          10,
          WindowsContainerStatistics,
          value.windows,
        );
      }
      if (value.linux) writeMessage(writer, 18, Metrics, value.linux);
      if (value.vm) {
        writeMessage(writer, 26, VirtualMachineStatistics, value.vm);
      }
    },
    read(reader) {
      const value: Statistics = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.windows = readMessage(reader, WindowsContainerStatistics);
            delete value.linux;
            break;
          case 18:
            value.linux = readMessage(reader, Metrics);
            delete value.windows;
            break;
          case 26:
            value.vm = readMessage(reader, VirtualMachineStatistics);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Statistics of a Windows container. */
export interface WindowsContainerStatistics {
  timestamp?: Timestamp;
  containerStartTime?: Timestamp;
  uptimeNs: bigint;
  processor?: WindowsContainerProcessorStatistics;
  memory?: WindowsContainerMemoryStatistics;
  storage?: WindowsContainerStorageStatistics;
}

/** Codec of {@linkcode WindowsContainerStatistics}. */
export const WindowsContainerStatistics: MessageType<
  WindowsContainerStatistics
> = message("containerd.runhcs.stats.v1.WindowsContainerStatistics", {
  write(value, writer) {
    if (value.timestamp) writeMessage(writer, 10, Timestamp, value.timestamp);
    if (value.containerStartTime) {
      writeMessage(writer, 18, Timestamp, value.containerStartTime);
    }
    if (value.uptimeNs) writeInt64(writer.uint32(24), value.uptimeNs);
    if (value.processor) {
      writeMessage(
        writer,
        34,
        WindowsContainerProcessorStatistics,
        value.processor,
      );
    }
    if (value.memory) {
      writeMessage(writer, 42, WindowsContainerMemoryStatistics, value.memory);
    }
    if (value.storage) {
      writeMessage(
        writer,
        50,
        WindowsContainerStorageStatistics,
        value.storage,
      );
    }
  },
  read(reader) {
    const value: WindowsContainerStatistics = { uptimeNs: 0n };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 10:
          value.timestamp = readMessage(reader, Timestamp);
          break;
        case 18:
          value.containerStartTime = readMessage(reader, Timestamp);
          break;
        case 24:
          value.uptimeNs = readUint64(reader);
          break;
        case 34:
          value.processor = readMessage(
            reader,
            WindowsContainerProcessorStatistics,
          );
          break;
        case 42:
          value.memory = readMessage(reader, WindowsContainerMemoryStatistics);
          break;
        case 50:
          value.storage = readMessage(
            reader,
            WindowsContainerStorageStatistics,
          );
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** CPU time of a Windows container. */
export interface WindowsContainerProcessorStatistics {
  totalRuntimeNs: bigint;
  runtimeUserNs: bigint;
  runtimeKernelNs: bigint;
}

/** Codec of {@linkcode WindowsContainerProcessorStatistics}. */
export const WindowsContainerProcessorStatistics: MessageType<
  WindowsContainerProcessorStatistics
> = message("containerd.runhcs.stats.v1.WindowsContainerProcessorStatistics", {
  write(value, writer) {
    if (value.totalRuntimeNs) {
      writeInt64(writer.uint32(8), value.totalRuntimeNs);
    }
    if (value.runtimeUserNs) writeInt64(writer.uint32(16), value.runtimeUserNs);
    if (value.runtimeKernelNs) {
      writeInt64(writer.uint32(24), value.runtimeKernelNs);
    }
  },
  read(reader) {
    const value: WindowsContainerProcessorStatistics = {
      totalRuntimeNs: 0n,
      runtimeUserNs: 0n,
      runtimeKernelNs: 0n,
    };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 8:
          value.totalRuntimeNs = readUint64(reader);
          break;
        case 16:
          value.runtimeUserNs = readUint64(reader);
          break;
        case 24:
          value.runtimeKernelNs = readUint64(reader);
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** Memory of a Windows container. */
export interface WindowsContainerMemoryStatistics {
  memoryUsageCommitBytes: bigint;
  memoryUsageCommitPeakBytes: bigint;
  memoryUsagePrivateWorkingSetBytes: bigint;
}

/** Codec of {@linkcode WindowsContainerMemoryStatistics}. */
export const WindowsContainerMemoryStatistics: MessageType<
  WindowsContainerMemoryStatistics
> = message("containerd.runhcs.stats.v1.WindowsContainerMemoryStatistics", {
  write(value, writer) {
    if (value.memoryUsageCommitBytes) {
      writeInt64(writer.uint32(8), value.memoryUsageCommitBytes);
    }
    if (value.memoryUsageCommitPeakBytes) {
      writeInt64(writer.uint32(16), value.memoryUsageCommitPeakBytes);
    }
    if (value.memoryUsagePrivateWorkingSetBytes) {
      writeInt64(writer.uint32(24), value.memoryUsagePrivateWorkingSetBytes);
    }
  },
  read(reader) {
    const value: WindowsContainerMemoryStatistics = {
      memoryUsageCommitBytes: 0n,
      memoryUsageCommitPeakBytes: 0n,
      memoryUsagePrivateWorkingSetBytes: 0n,
    };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 8:
          value.memoryUsageCommitBytes = readUint64(reader);
          break;
        case 16:
          value.memoryUsageCommitPeakBytes = readUint64(reader);
          break;
        case 24:
          value.memoryUsagePrivateWorkingSetBytes = readUint64(reader);
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** Storage of a Windows container. */
export interface WindowsContainerStorageStatistics {
  readCountNormalized: bigint;
  readSizeBytes: bigint;
  writeCountNormalized: bigint;
  writeSizeBytes: bigint;
}

/** Codec of {@linkcode WindowsContainerStorageStatistics}. */
export const WindowsContainerStorageStatistics: MessageType<
  WindowsContainerStorageStatistics
> = message("containerd.runhcs.stats.v1.WindowsContainerStorageStatistics", {
  write(value, writer) {
    if (value.readCountNormalized) {
      writeInt64(writer.uint32(8), value.readCountNormalized);
    }
    if (value.readSizeBytes) writeInt64(writer.uint32(16), value.readSizeBytes);
    if (value.writeCountNormalized) {
      writeInt64(writer.uint32(24), value.writeCountNormalized);
    }
    if (value.writeSizeBytes) {
      writeInt64(writer.uint32(32), value.writeSizeBytes);
    }
  },
  read(reader) {
    const value: WindowsContainerStorageStatistics = {
      readCountNormalized: 0n,
      readSizeBytes: 0n,
      writeCountNormalized: 0n,
      writeSizeBytes: 0n,
    };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 8:
          value.readCountNormalized = readUint64(reader);
          break;
        case 16:
          value.readSizeBytes = readUint64(reader);
          break;
        case 24:
          value.writeCountNormalized = readUint64(reader);
          break;
        case 32:
          value.writeSizeBytes = readUint64(reader);
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** Statistics of a VM. */
export interface VirtualMachineStatistics {
  processor?: VirtualMachineProcessorStatistics;
  memory?: VirtualMachineMemoryStatistics;
}

/** Codec of {@linkcode VirtualMachineStatistics}. */
export const VirtualMachineStatistics: MessageType<VirtualMachineStatistics> =
  message("containerd.runhcs.stats.v1.VirtualMachineStatistics", {
    write(value, writer) {
      if (value.processor) {
        writeMessage(
          writer,
          10,
          VirtualMachineProcessorStatistics,
          value.processor,
        );
      }
      if (value.memory) {
        writeMessage(writer, 18, VirtualMachineMemoryStatistics, value.memory);
      }
    },
    read(reader) {
      const value: VirtualMachineStatistics = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.processor = readMessage(
              reader,
              VirtualMachineProcessorStatistics,
            );
            break;
          case 18:
            value.memory = readMessage(reader, VirtualMachineMemoryStatistics);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  });

/** CPU time of a VM. */
export interface VirtualMachineProcessorStatistics {
  totalRuntimeNs: bigint;
}

/** Codec of {@linkcode VirtualMachineProcessorStatistics}. */
export const VirtualMachineProcessorStatistics: MessageType<
  VirtualMachineProcessorStatistics
> = message("containerd.runhcs.stats.v1.VirtualMachineProcessorStatistics", {
  write(value, writer) {
    if (value.totalRuntimeNs) {
      writeInt64(writer.uint32(8), value.totalRuntimeNs);
    }
  },
  read(reader) {
    const value: VirtualMachineProcessorStatistics = { totalRuntimeNs: 0n };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 8:
          value.totalRuntimeNs = readUint64(reader);
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** Memory of a VM. */
export interface VirtualMachineMemoryStatistics {
  workingSetBytes: bigint;
  virtualNodeCount: number;
  vmMemory?: VirtualMachineMemory;
}

/** Codec of {@linkcode VirtualMachineMemoryStatistics}. */
export const VirtualMachineMemoryStatistics: MessageType<
  VirtualMachineMemoryStatistics
> = message("containerd.runhcs.stats.v1.VirtualMachineMemoryStatistics", {
  write(value, writer) {
    if (value.workingSetBytes) {
      writeInt64(writer.uint32(8), value.workingSetBytes);
    }
    if (value.virtualNodeCount) {
      writer.uint32(16).uint32(value.virtualNodeCount);
    }
    if (value.vmMemory) {
      writeMessage(writer, 26, VirtualMachineMemory, value.vmMemory);
    }
  },
  read(reader) {
    const value: VirtualMachineMemoryStatistics = {
      workingSetBytes: 0n,
      virtualNodeCount: 0,
    };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 8:
          value.workingSetBytes = readUint64(reader);
          break;
        case 16:
          value.virtualNodeCount = reader.uint32();
          break;
        case 26:
          value.vmMemory = readMessage(reader, VirtualMachineMemory);
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** Dynamic memory of a VM; MB where not said otherwise. */
export interface VirtualMachineMemory {
  availableMemory: number;
  availableMemoryBuffer: number;
  reservedMemory: bigint;
  assignedMemory: bigint;
  slpActive: boolean;
  balancingEnabled: boolean;
  dmOperationInProgress: boolean;
}

/** Codec of {@linkcode VirtualMachineMemory}. */
export const VirtualMachineMemory: MessageType<VirtualMachineMemory> = message(
  "containerd.runhcs.stats.v1.VirtualMachineMemory",
  {
    write(value, writer) {
      if (value.availableMemory) writer.uint32(8).int32(value.availableMemory);
      if (value.availableMemoryBuffer) {
        writer.uint32(16).int32(
          value.availableMemoryBuffer,
        );
      }
      if (value.reservedMemory) {
        writeInt64(
          writer.uint32(24),
          value.reservedMemory,
        );
      }
      if (value.assignedMemory) {
        writeInt64(
          writer.uint32(32),
          value.assignedMemory,
        );
      }
      if (value.slpActive) writer.uint32(40).bool(value.slpActive);
      if (value.balancingEnabled) {
        writer.uint32(48).bool(value.balancingEnabled);
      }
      if (value.dmOperationInProgress) {
        writer.uint32(56).bool(
          value.dmOperationInProgress,
        );
      }
    },
    read(reader) {
      const value: VirtualMachineMemory = {
        availableMemory: 0,
        availableMemoryBuffer: 0,
        reservedMemory: 0n,
        assignedMemory: 0n,
        slpActive: false,
        balancingEnabled: false,
        dmOperationInProgress: false,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.availableMemory = reader.int32();
            break;
          case 16:
            value.availableMemoryBuffer = reader.int32();
            break;
          case 24:
            value.reservedMemory = readUint64(reader);
            break;
          case 32:
            value.assignedMemory = readUint64(reader);
            break;
          case 40:
            value.slpActive = reader.bool();
            break;
          case 48:
            value.balancingEnabled = reader.bool();
            break;
          case 56:
            value.dmOperationInProgress = reader.bool();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);
