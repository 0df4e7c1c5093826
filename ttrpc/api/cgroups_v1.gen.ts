/**
 * Statistics of a Linux container. Generated from
 * `schema/proto/io/containerd/cgroups/v1/metrics.proto` by `deno task
 * codegen`; do not edit.
 *
 * @module
 */

import { message, type MessageType } from "../message.ts";
import {
  readMessage,
  readPacked,
  readUint64,
  skipField,
  writeInt64,
  writeMessage,
  writePacked,
} from "../wire.ts";

/** Statistics of a cgroup (version 1). */
export interface Metrics {
  hugetlb: HugetlbStat[];
  pids?: PidsStat;
  cpu?: CPUStat;
  memory?: MemoryStat;
  blkio?: BlkIOStat;
  rdma?: RdmaStat;
  network: NetworkStat[];
  cgroupStats?: CgroupStats;
  memoryOomControl?: MemoryOomControl;
}

/** Codec of {@linkcode Metrics}. */
export const Metrics: MessageType<Metrics> = message(
  "io.containerd.cgroups.v1.Metrics",
  {
    write(value, writer) {
      for (const item of value.hugetlb ?? []) {
        writeMessage(writer, 10, HugetlbStat, item);
      }
      if (value.pids) writeMessage(writer, 18, PidsStat, value.pids);
      if (value.cpu) writeMessage(writer, 26, CPUStat, value.cpu);
      if (value.memory) writeMessage(writer, 34, MemoryStat, value.memory);
      if (value.blkio) writeMessage(writer, 42, BlkIOStat, value.blkio);
      if (value.rdma) writeMessage(writer, 50, RdmaStat, value.rdma);
      for (const item of value.network ?? []) {
        writeMessage(writer, 58, NetworkStat, item);
      }
      if (value.cgroupStats) {
        writeMessage(
          writer,
          66,
          CgroupStats,
          value.cgroupStats,
        );
      }
      if (value.memoryOomControl) {
        writeMessage(
          writer,
          74,
          MemoryOomControl,
          value.memoryOomControl,
        );
      }
    },
    read(reader) {
      const value: Metrics = { hugetlb: [], network: [] };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.hugetlb.push(readMessage(reader, HugetlbStat));
            break;
          case 18:
            value.pids = readMessage(reader, PidsStat);
            break;
          case 26:
            value.cpu = readMessage(reader, CPUStat);
            break;
          case 34:
            value.memory = readMessage(reader, MemoryStat);
            break;
          case 42:
            value.blkio = readMessage(reader, BlkIOStat);
            break;
          case 50:
            value.rdma = readMessage(reader, RdmaStat);
            break;
          case 58:
            value.network.push(readMessage(reader, NetworkStat));
            break;
          case 66:
            value.cgroupStats = readMessage(reader, CgroupStats);
            break;
          case 74:
            value.memoryOomControl = readMessage(reader, MemoryOomControl);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Huge pages of one size. */
export interface HugetlbStat {
  usage: bigint;
  max: bigint;
  failcnt: bigint;
  pagesize: string;
}

/** Codec of {@linkcode HugetlbStat}. */
export const HugetlbStat: MessageType<HugetlbStat> = message(
  "io.containerd.cgroups.v1.HugetlbStat",
  {
    write(value, writer) {
      if (value.usage) writeInt64(writer.uint32(8), value.usage);
      if (value.max) writeInt64(writer.uint32(16), value.max);
      if (value.failcnt) writeInt64(writer.uint32(24), value.failcnt);
      if (value.pagesize) writer.uint32(34).string(value.pagesize);
    },
    read(reader) {
      const value: HugetlbStat = {
        usage: 0n,
        max: 0n,
        failcnt: 0n,
        pagesize: "",
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.usage = readUint64(reader);
            break;
          case 16:
            value.max = readUint64(reader);
            break;
          case 24:
            value.failcnt = readUint64(reader);
            break;
          case 34:
            value.pagesize = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Number of processes. */
export interface PidsStat {
  current: bigint;
  limit: bigint;
}

/** Codec of {@linkcode PidsStat}. */
export const PidsStat: MessageType<PidsStat> = message(
  "io.containerd.cgroups.v1.PidsStat",
  {
    write(value, writer) {
      if (value.current) writeInt64(writer.uint32(8), value.current);
      if (value.limit) writeInt64(writer.uint32(16), value.limit);
    },
    read(reader) {
      const value: PidsStat = { current: 0n, limit: 0n };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.current = readUint64(reader);
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

/** CPU statistics. */
export interface CPUStat {
  usage?: CPUUsage;
  throttling?: Throttle;
}

/** Codec of {@linkcode CPUStat}. */
export const CPUStat: MessageType<CPUStat> = message(
  "io.containerd.cgroups.v1.CPUStat",
  {
    write(value, writer) {
      if (value.usage) writeMessage(writer, 10, CPUUsage, value.usage);
      if (value.throttling) {
        writeMessage(writer, 18, Throttle, value.throttling);
      }
    },
    read(reader) {
      const value: CPUStat = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.usage = readMessage(reader, CPUUsage);
            break;
          case 18:
            value.throttling = readMessage(reader, Throttle);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** CPU time in nanoseconds. */
export interface CPUUsage {
  total: bigint;
  kernel: bigint;
  user: bigint;
  perCpu: bigint[];
}

/** Codec of {@linkcode CPUUsage}. */
export const CPUUsage: MessageType<CPUUsage> = message(
  "io.containerd.cgroups.v1.CPUUsage",
  {
    write(value, writer) {
      if (value.total) writeInt64(writer.uint32(8), value.total);
      if (value.kernel) writeInt64(writer.uint32(16), value.kernel);
      if (value.user) writeInt64(writer.uint32(24), value.user);
      writePacked(writer, 34, value.perCpu, (writer, item) => {
        writeInt64(writer, item);
      });
    },
    read(reader) {
      const value: CPUUsage = { total: 0n, kernel: 0n, user: 0n, perCpu: [] };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.total = readUint64(reader);
            break;
          case 16:
            value.kernel = readUint64(reader);
            break;
          case 24:
            value.user = readUint64(reader);
            break;
          case 34:
            readPacked(reader, value.perCpu, (reader) => readUint64(reader));
            break;
          case 32:
            value.perCpu.push(readUint64(reader));
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** CPU bandwidth control. */
export interface Throttle {
  periods: bigint;
  throttledPeriods: bigint;
  throttledTime: bigint;
}

/** Codec of {@linkcode Throttle}. */
export const Throttle: MessageType<Throttle> = message(
  "io.containerd.cgroups.v1.Throttle",
  {
    write(value, writer) {
      if (value.periods) writeInt64(writer.uint32(8), value.periods);
      if (value.throttledPeriods) {
        writeInt64(
          writer.uint32(16),
          value.throttledPeriods,
        );
      }
      if (value.throttledTime) {
        writeInt64(writer.uint32(24), value.throttledTime);
      }
    },
    read(reader) {
      const value: Throttle = {
        periods: 0n,
        throttledPeriods: 0n,
        throttledTime: 0n,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.periods = readUint64(reader);
            break;
          case 16:
            value.throttledPeriods = readUint64(reader);
            break;
          case 24:
            value.throttledTime = readUint64(reader);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Memory statistics. */
export interface MemoryStat {
  cache: bigint;
  rss: bigint;
  rssHuge: bigint;
  mappedFile: bigint;
  dirty: bigint;
  writeback: bigint;
  pgPgIn: bigint;
  pgPgOut: bigint;
  pgFault: bigint;
  pgMajFault: bigint;
  inactiveAnon: bigint;
  activeAnon: bigint;
  inactiveFile: bigint;
  activeFile: bigint;
  unevictable: bigint;
  hierarchicalMemoryLimit: bigint;
  hierarchicalSwapLimit: bigint;
  totalCache: bigint;
  totalRss: bigint;
  totalRssHuge: bigint;
  totalMappedFile: bigint;
  totalDirty: bigint;
  totalWriteback: bigint;
  totalPgPgIn: bigint;
  totalPgPgOut: bigint;
  totalPgFault: bigint;
  totalPgMajFault: bigint;
  totalInactiveAnon: bigint;
  totalActiveAnon: bigint;
  totalInactiveFile: bigint;
  totalActiveFile: bigint;
  totalUnevictable: bigint;
  usage?: MemoryEntry;
  swap?: MemoryEntry;
  kernel?: MemoryEntry;
  kernelTcp?: MemoryEntry;
}

/** Codec of {@linkcode MemoryStat}. */
export const MemoryStat: MessageType<MemoryStat> = message(
  "io.containerd.cgroups.v1.MemoryStat",
  {
    write(value, writer) {
      if (value.cache) writeInt64(writer.uint32(8), value.cache);
      if (value.rss) writeInt64(writer.uint32(16), value.rss);
      if (value.rssHuge) writeInt64(writer.uint32(24), value.rssHuge);
      if (value.mappedFile) writeInt64(writer.uint32(32), value.mappedFile);
      if (value.dirty) writeInt64(writer.uint32(40), value.dirty);
      if (value.writeback) writeInt64(writer.uint32(48), value.writeback);
      if (value.pgPgIn) writeInt64(writer.uint32(56), value.pgPgIn);
      if (value.pgPgOut) writeInt64(writer.uint32(64), value.pgPgOut);
      if (value.pgFault) writeInt64(writer.uint32(72), value.pgFault);
      if (value.pgMajFault) writeInt64(writer.uint32(80), value.pgMajFault);
      if (value.inactiveAnon) writeInt64(writer.uint32(88), value.inactiveAnon);
      if (value.activeAnon) writeInt64(writer.uint32(96), value.activeAnon);
      if (value.inactiveFile) {
        writeInt64(writer.uint32(104), value.inactiveFile);
      }
      if (value.activeFile) writeInt64(writer.uint32(112), value.activeFile);
      if (value.unevictable) writeInt64(writer.uint32(120), value.unevictable);
      if (value.hierarchicalMemoryLimit) {
        writeInt64(
          writer.uint32(128),
          value.hierarchicalMemoryLimit,
        );
      }
      if (value.hierarchicalSwapLimit) {
        writeInt64(
          writer.uint32(136),
          value.hierarchicalSwapLimit,
        );
      }
      if (value.totalCache) writeInt64(writer.uint32(144), value.totalCache);
      if (value.totalRss) writeInt64(writer.uint32(152), value.totalRss);
      if (value.totalRssHuge) {
        writeInt64(writer.uint32(160), value.totalRssHuge);
      }
      if (value.totalMappedFile) {
        writeInt64(
          writer.uint32(168),
          value.totalMappedFile,
        );
      }
      if (value.totalDirty) writeInt64(writer.uint32(176), value.totalDirty);
      if (value.totalWriteback) {
        writeInt64(
          writer.uint32(184),
          value.totalWriteback,
        );
      }
      if (value.totalPgPgIn) writeInt64(writer.uint32(192), value.totalPgPgIn);
      if (value.totalPgPgOut) {
        writeInt64(writer.uint32(200), value.totalPgPgOut);
      }
      if (value.totalPgFault) {
        writeInt64(writer.uint32(208), value.totalPgFault);
      }
      if (value.totalPgMajFault) {
        writeInt64(
          writer.uint32(216),
          value.totalPgMajFault,
        );
      }
      if (value.totalInactiveAnon) {
        writeInt64(
          writer.uint32(224),
          value.totalInactiveAnon,
        );
      }
      if (value.totalActiveAnon) {
        writeInt64(
          writer.uint32(232),
          value.totalActiveAnon,
        );
      }
      if (value.totalInactiveFile) {
        writeInt64(
          writer.uint32(240),
          value.totalInactiveFile,
        );
      }
      if (value.totalActiveFile) {
        writeInt64(
          writer.uint32(248),
          value.totalActiveFile,
        );
      }
      if (value.totalUnevictable) {
        writeInt64(
          writer.uint32(256),
          value.totalUnevictable,
        );
      }
      if (value.usage) writeMessage(writer, 266, MemoryEntry, value.usage);
      if (value.swap) writeMessage(writer, 274, MemoryEntry, value.swap);
      if (value.kernel) writeMessage(writer, 282, MemoryEntry, value.kernel);
      if (value.kernelTcp) {
        writeMessage(
          writer,
          290,
          MemoryEntry,
          value.kernelTcp,
        );
      }
    },
    read(reader) {
      const value: MemoryStat = {
        cache: 0n,
        rss: 0n,
        rssHuge: 0n,
        mappedFile: 0n,
        dirty: 0n,
        writeback: 0n,
        pgPgIn: 0n,
        pgPgOut: 0n,
        pgFault: 0n,
        pgMajFault: 0n,
        inactiveAnon: 0n,
        activeAnon: 0n,
        inactiveFile: 0n,
        activeFile: 0n,
        unevictable: 0n,
        hierarchicalMemoryLimit: 0n,
        hierarchicalSwapLimit: 0n,
        totalCache: 0n,
        totalRss: 0n,
        totalRssHuge: 0n,
        totalMappedFile: 0n,
        totalDirty: 0n,
        totalWriteback: 0n,
        totalPgPgIn: 0n,
        totalPgPgOut: 0n,
        totalPgFault: 0n,
        totalPgMajFault: 0n,
        totalInactiveAnon: 0n,
        totalActiveAnon: 0n,
        totalInactiveFile: 0n,
        totalActiveFile: 0n,
        totalUnevictable: 0n,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.cache = readUint64(reader);
            break;
          case 16:
            value.rss = readUint64(reader);
            break;
          case 24:
            value.rssHuge = readUint64(reader);
            break;
          case 32:
            value.mappedFile = readUint64(reader);
            break;
          case 40:
            value.dirty = readUint64(reader);
            break;
          case 48:
            value.writeback = readUint64(reader);
            break;
          case 56:
            value.pgPgIn = readUint64(reader);
            break;
          case 64:
            value.pgPgOut = readUint64(reader);
            break;
          case 72:
            value.pgFault = readUint64(reader);
            break;
          case 80:
            value.pgMajFault = readUint64(reader);
            break;
          case 88:
            value.inactiveAnon = readUint64(reader);
            break;
          case 96:
            value.activeAnon = readUint64(reader);
            break;
          case 104:
            value.inactiveFile = readUint64(reader);
            break;
          case 112:
            value.activeFile = readUint64(reader);
            break;
          case 120:
            value.unevictable = readUint64(reader);
            break;
          case 128:
            value.hierarchicalMemoryLimit = readUint64(reader);
            break;
          case 136:
            value.hierarchicalSwapLimit = readUint64(reader);
            break;
          case 144:
            value.totalCache = readUint64(reader);
            break;
          case 152:
            value.totalRss = readUint64(reader);
            break;
          case 160:
            value.totalRssHuge = readUint64(reader);
            break;
          case 168:
            value.totalMappedFile = readUint64(reader);
            break;
          case 176:
            value.totalDirty = readUint64(reader);
            break;
          case 184:
            value.totalWriteback = readUint64(reader);
            break;
          case 192:
            value.totalPgPgIn = readUint64(reader);
            break;
          case 200:
            value.totalPgPgOut = readUint64(reader);
            break;
          case 208:
            value.totalPgFault = readUint64(reader);
            break;
          case 216:
            value.totalPgMajFault = readUint64(reader);
            break;
          case 224:
            value.totalInactiveAnon = readUint64(reader);
            break;
          case 232:
            value.totalActiveAnon = readUint64(reader);
            break;
          case 240:
            value.totalInactiveFile = readUint64(reader);
            break;
          case 248:
            value.totalActiveFile = readUint64(reader);
            break;
          case 256:
            value.totalUnevictable = readUint64(reader);
            break;
          case 266:
            value.usage = readMessage(reader, MemoryEntry);
            break;
          case 274:
            value.swap = readMessage(reader, MemoryEntry);
            break;
          case 282:
            value.kernel = readMessage(reader, MemoryEntry);
            break;
          case 290:
            value.kernelTcp = readMessage(reader, MemoryEntry);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** One memory counter. */
export interface MemoryEntry {
  limit: bigint;
  usage: bigint;
  max: bigint;
  failcnt: bigint;
}

/** Codec of {@linkcode MemoryEntry}. */
export const MemoryEntry: MessageType<MemoryEntry> = message(
  "io.containerd.cgroups.v1.MemoryEntry",
  {
    write(value, writer) {
      if (value.limit) writeInt64(writer.uint32(8), value.limit);
      if (value.usage) writeInt64(writer.uint32(16), value.usage);
      if (value.max) writeInt64(writer.uint32(24), value.max);
      if (value.failcnt) writeInt64(writer.uint32(32), value.failcnt);
    },
    read(reader) {
      const value: MemoryEntry = { limit: 0n, usage: 0n, max: 0n, failcnt: 0n };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.limit = readUint64(reader);
            break;
          case 16:
            value.usage = readUint64(reader);
            break;
          case 24:
            value.max = readUint64(reader);
            break;
          case 32:
            value.failcnt = readUint64(reader);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Out-of-memory state. */
export interface MemoryOomControl {
  oomKillDisable: bigint;
  underOom: bigint;
  oomKill: bigint;
}

/** Codec of {@linkcode MemoryOomControl}. */
export const MemoryOomControl: MessageType<MemoryOomControl> = message(
  "io.containerd.cgroups.v1.MemoryOomControl",
  {
    write(value, writer) {
      if (value.oomKillDisable) {
        writeInt64(
          writer.uint32(8),
          value.oomKillDisable,
        );
      }
      if (value.underOom) writeInt64(writer.uint32(16), value.underOom);
      if (value.oomKill) writeInt64(writer.uint32(24), value.oomKill);
    },
    read(reader) {
      const value: MemoryOomControl = {
        oomKillDisable: 0n,
        underOom: 0n,
        oomKill: 0n,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.oomKillDisable = readUint64(reader);
            break;
          case 16:
            value.underOom = readUint64(reader);
            break;
          case 24:
            value.oomKill = readUint64(reader);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Block I/O. */
export interface BlkIOStat {
  ioServiceBytesRecursive: BlkIOEntry[];
  ioServicedRecursive: BlkIOEntry[];
  ioQueuedRecursive: BlkIOEntry[];
  ioServiceTimeRecursive: BlkIOEntry[];
  ioWaitTimeRecursive: BlkIOEntry[];
  ioMergedRecursive: BlkIOEntry[];
  ioTimeRecursive: BlkIOEntry[];
  sectorsRecursive: BlkIOEntry[];
}

/** Codec of {@linkcode BlkIOStat}. */
export const BlkIOStat: MessageType<BlkIOStat> = message(
  "io.containerd.cgroups.v1.BlkIOStat",
  {
    write(value, writer) {
      for (const item of value.ioServiceBytesRecursive ?? []) {
        writeMessage(writer, 10, BlkIOEntry, item);
      }
      for (const item of value.ioServicedRecursive ?? []) {
        writeMessage(writer, 18, BlkIOEntry, item);
      }
      for (const item of value.ioQueuedRecursive ?? []) {
        writeMessage(writer, 26, BlkIOEntry, item);
      }
      for (const item of value.ioServiceTimeRecursive ?? []) {
        writeMessage(writer, 34, BlkIOEntry, item);
      }
      for (const item of value.ioWaitTimeRecursive ?? []) {
        writeMessage(writer, 42, BlkIOEntry, item);
      }
      for (const item of value.ioMergedRecursive ?? []) {
        writeMessage(writer, 50, BlkIOEntry, item);
      }
      for (const item of value.ioTimeRecursive ?? []) {
        writeMessage(writer, 58, BlkIOEntry, item);
      }
      for (const item of value.sectorsRecursive ?? []) {
        writeMessage(writer, 66, BlkIOEntry, item);
      }
    },
    read(reader) {
      const value: BlkIOStat = {
        ioServiceBytesRecursive: [],
        ioServicedRecursive: [],
        ioQueuedRecursive: [],
        ioServiceTimeRecursive: [],
        ioWaitTimeRecursive: [],
        ioMergedRecursive: [],
        ioTimeRecursive: [],
        sectorsRecursive: [],
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.ioServiceBytesRecursive.push(readMessage(reader, BlkIOEntry));
            break;
          case 18:
            value.ioServicedRecursive.push(readMessage(reader, BlkIOEntry));
            break;
          case 26:
            value.ioQueuedRecursive.push(readMessage(reader, BlkIOEntry));
            break;
          case 34:
            value.ioServiceTimeRecursive.push(readMessage(reader, BlkIOEntry));
            break;
          case 42:
            value.ioWaitTimeRecursive.push(readMessage(reader, BlkIOEntry));
            break;
          case 50:
            value.ioMergedRecursive.push(readMessage(reader, BlkIOEntry));
            break;
          case 58:
            value.ioTimeRecursive.push(readMessage(reader, BlkIOEntry));
            break;
          case 66:
            value.sectorsRecursive.push(readMessage(reader, BlkIOEntry));
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** One counter of one block device. */
export interface BlkIOEntry {
  op: string;
  device: string;
  major: bigint;
  minor: bigint;
  value: bigint;
}

/** Codec of {@linkcode BlkIOEntry}. */
export const BlkIOEntry: MessageType<BlkIOEntry> = message(
  "io.containerd.cgroups.v1.BlkIOEntry",
  {
    write(value, writer) {
      if (value.op) writer.uint32(10).string(value.op);
      if (value.device) writer.uint32(18).string(value.device);
      if (value.major) writeInt64(writer.uint32(24), value.major);
      if (value.minor) writeInt64(writer.uint32(32), value.minor);
      if (value.value) writeInt64(writer.uint32(40), value.value);
    },
    read(reader) {
      const value: BlkIOEntry = {
        op: "",
        device: "",
        major: 0n,
        minor: 0n,
        value: 0n,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.op = reader.string();
            break;
          case 18:
            value.device = reader.string();
            break;
          case 24:
            value.major = readUint64(reader);
            break;
          case 32:
            value.minor = readUint64(reader);
            break;
          case 40:
            value.value = readUint64(reader);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** RDMA. */
export interface RdmaStat {
  current: RdmaEntry[];
  limit: RdmaEntry[];
}

/** Codec of {@linkcode RdmaStat}. */
export const RdmaStat: MessageType<RdmaStat> = message(
  "io.containerd.cgroups.v1.RdmaStat",
  {
    write(value, writer) {
      for (const item of value.current ?? []) {
        writeMessage(writer, 10, RdmaEntry, item);
      }
      for (const item of value.limit ?? []) {
        writeMessage(writer, 18, RdmaEntry, item);
      }
    },
    read(reader) {
      const value: RdmaStat = { current: [], limit: [] };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.current.push(readMessage(reader, RdmaEntry));
            break;
          case 18:
            value.limit.push(readMessage(reader, RdmaEntry));
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** RDMA resources of one device. */
export interface RdmaEntry {
  device: string;
  hcaHandles: number;
  hcaObjects: number;
}

/** Codec of {@linkcode RdmaEntry}. */
export const RdmaEntry: MessageType<RdmaEntry> = message(
  "io.containerd.cgroups.v1.RdmaEntry",
  {
    write(value, writer) {
      if (value.device) writer.uint32(10).string(value.device);
      if (value.hcaHandles) writer.uint32(16).uint32(value.hcaHandles);
      if (value.hcaObjects) writer.uint32(24).uint32(value.hcaObjects);
    },
    read(reader) {
      const value: RdmaEntry = { device: "", hcaHandles: 0, hcaObjects: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.device = reader.string();
            break;
          case 16:
            value.hcaHandles = reader.uint32();
            break;
          case 24:
            value.hcaObjects = reader.uint32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Counters of one network interface. */
export interface NetworkStat {
  name: string;
  rxBytes: bigint;
  rxPackets: bigint;
  rxErrors: bigint;
  rxDropped: bigint;
  txBytes: bigint;
  txPackets: bigint;
  txErrors: bigint;
  txDropped: bigint;
}

/** Codec of {@linkcode NetworkStat}. */
export const NetworkStat: MessageType<NetworkStat> = message(
  "io.containerd.cgroups.v1.NetworkStat",
  {
    write(value, writer) {
      if (value.name) writer.uint32(10).string(value.name);
      if (value.rxBytes) writeInt64(writer.uint32(16), value.rxBytes);
      if (value.rxPackets) writeInt64(writer.uint32(24), value.rxPackets);
      if (value.rxErrors) writeInt64(writer.uint32(32), value.rxErrors);
      if (value.rxDropped) writeInt64(writer.uint32(40), value.rxDropped);
      if (value.txBytes) writeInt64(writer.uint32(48), value.txBytes);
      if (value.txPackets) writeInt64(writer.uint32(56), value.txPackets);
      if (value.txErrors) writeInt64(writer.uint32(64), value.txErrors);
      if (value.txDropped) writeInt64(writer.uint32(72), value.txDropped);
    },
    read(reader) {
      const value: NetworkStat = {
        name: "",
        rxBytes: 0n,
        rxPackets: 0n,
        rxErrors: 0n,
        rxDropped: 0n,
        txBytes: 0n,
        txPackets: 0n,
        txErrors: 0n,
        txDropped: 0n,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.name = reader.string();
            break;
          case 16:
            value.rxBytes = readUint64(reader);
            break;
          case 24:
            value.rxPackets = readUint64(reader);
            break;
          case 32:
            value.rxErrors = readUint64(reader);
            break;
          case 40:
            value.rxDropped = readUint64(reader);
            break;
          case 48:
            value.txBytes = readUint64(reader);
            break;
          case 56:
            value.txPackets = readUint64(reader);
            break;
          case 64:
            value.txErrors = readUint64(reader);
            break;
          case 72:
            value.txDropped = readUint64(reader);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Tasks of the cgroup by state. */
export interface CgroupStats {
  nrSleeping: bigint;
  nrRunning: bigint;
  nrStopped: bigint;
  nrUninterruptible: bigint;
  nrIoWait: bigint;
}

/** Codec of {@linkcode CgroupStats}. */
export const CgroupStats: MessageType<CgroupStats> = message(
  "io.containerd.cgroups.v1.CgroupStats",
  {
    write(value, writer) {
      if (value.nrSleeping) writeInt64(writer.uint32(8), value.nrSleeping);
      if (value.nrRunning) writeInt64(writer.uint32(16), value.nrRunning);
      if (value.nrStopped) writeInt64(writer.uint32(24), value.nrStopped);
      if (value.nrUninterruptible) {
        writeInt64(
          writer.uint32(32),
          value.nrUninterruptible,
        );
      }
      if (value.nrIoWait) writeInt64(writer.uint32(40), value.nrIoWait);
    },
    read(reader) {
      const value: CgroupStats = {
        nrSleeping: 0n,
        nrRunning: 0n,
        nrStopped: 0n,
        nrUninterruptible: 0n,
        nrIoWait: 0n,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.nrSleeping = readUint64(reader);
            break;
          case 16:
            value.nrRunning = readUint64(reader);
            break;
          case 24:
            value.nrStopped = readUint64(reader);
            break;
          case 32:
            value.nrUninterruptible = readUint64(reader);
            break;
          case 40:
            value.nrIoWait = readUint64(reader);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);
