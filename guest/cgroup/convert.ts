/**
 * Between the two versions: limits of version 1 as files of version 2, and
 * statistics of version 2 in the shape of the bridge, which is version 1's
 * (`spec/guest-runtime.md` 12.2).
 *
 * @module
 */

import type {
  BlkioEntry,
  LCOWMetrics,
  MemoryStat,
} from "../../bridge/messages.gen.ts";
import type { LinuxResources } from "../../oci/spec.gen.ts";

/**
 * The weight of v2 for the shares of v1.
 *
 * @returns 1 … 10000, or undefined for 0, which means "not given".
 */
export function cpuWeight(shares: bigint): bigint | undefined {
  if (shares === 0n) return undefined;
  const least = shares < 2n ? 2n : shares;
  return 1n + ((least - 2n) * 9999n) / 262142n;
}

/** A limit as v2 writes it: negative means none. */
function limitText(value: number | bigint): string {
  return value < 0 ? "max" : String(value);
}

/**
 * Files of v2 and the values for these limits, in the order in which they are
 * written. The controller of a file is the part before its first dot.
 */
export function filesOfResources(
  resources: LinuxResources | undefined,
): [file: string, value: string][] {
  const { memory, cpu, pids, blockIO } = resources ?? {};
  const files: [string, string][] = [];
  const add = (file: string, value: number | bigint | undefined): void => {
    if (value !== undefined) files.push([file, limitText(value)]);
  };
  add("memory.max", memory?.limit);
  add("memory.low", memory?.reservation);
  add("memory.swap.max", memory?.swap);
  add("cpu.weight", cpuWeight(BigInt(cpu?.shares ?? 0)));
  if (cpu?.quota !== undefined && cpu.period !== undefined) {
    files.push(["cpu.max", `${limitText(cpu.quota)} ${cpu.period}`]);
  }
  if (cpu?.cpus) files.push(["cpuset.cpus", cpu.cpus]);
  if (cpu?.mems) files.push(["cpuset.mems", cpu.mems]);
  if (pids?.limit !== undefined && pids.limit > 0) {
    files.push(["pids.max", String(pids.limit)]);
  }
  if (blockIO?.weight) {
    files.push(["io.bfq.weight", String(blockIO.weight)]);
  }
  return files;
}

/** One device of `io.stat`. */
export interface IoEntry {
  /** Device number. */
  readonly major: bigint;
  /** Device number. */
  readonly minor: bigint;
  /** Bytes read. */
  readonly rbytes: bigint;
  /** Bytes written. */
  readonly wbytes: bigint;
  /** Reads. */
  readonly rios: bigint;
  /** Writes. */
  readonly wios: bigint;
}

/** What version 2 tells about a group; absent parts are absent afterwards. */
export interface StatsV2 {
  /** `cpu.stat`; microseconds. */
  readonly cpu?: ReadonlyMap<string, bigint>;
  /** `memory.stat`. */
  readonly memory?: ReadonlyMap<string, bigint>;
  /** `memory.current`, `.max`, `.peak` and the same of `memory.swap`. */
  readonly memoryUsage?: {
    readonly current: bigint;
    readonly max: bigint;
    readonly peak: bigint;
    readonly swapCurrent: bigint;
    readonly swapMax: bigint;
    readonly swapPeak: bigint;
  };
  /** `memory.events`. */
  readonly memoryEvents?: ReadonlyMap<string, bigint>;
  /** `pids.current` and `pids.max`. */
  readonly pids?: { readonly current: bigint; readonly limit: bigint };
  /** `io.stat`. */
  readonly io?: readonly IoEntry[];
  /** `rdma.current` and `rdma.max`. */
  readonly rdma?: {
    readonly current: readonly RdmaRow[];
    readonly limit: readonly RdmaRow[];
  };
  /** `current` and `max` of every huge page size. */
  readonly hugetlb?: readonly {
    readonly usage: bigint;
    readonly max: bigint;
  }[];
}

/** One device of the RDMA controller. */
export interface RdmaRow {
  /** Name of the device. */
  readonly device: string;
  /** Handles. */
  readonly hca_handles: number;
  /** Objects. */
  readonly hca_objects: number;
}

/** Members of `memory.stat` by their names on the bridge. */
const memoryMembers: readonly (readonly [keyof MemoryStat, string])[] = [
  ["cache", "file"],
  ["rss", "anon"],
  ["mapped_file", "file_mapped"],
  ["dirty", "file_dirty"],
  ["writeback", "file_writeback"],
  ["pg_fault", "pgfault"],
  ["pg_maj_fault", "pgmajfault"],
  ["inactive_anon", "inactive_anon"],
  ["active_anon", "active_anon"],
  ["inactive_file", "inactive_file"],
  ["active_file", "active_file"],
  ["unevictable", "unevictable"],
];

/** Microseconds as nanoseconds, in 64 bits. */
function nanoseconds(microseconds: bigint | undefined): bigint {
  return BigInt.asUintN(64, (microseconds ?? 0n) * 1000n);
}

function memoryStat(stats: StatsV2): MemoryStat {
  const stat = stats.memory ?? new Map<string, bigint>();
  const values: Record<string, bigint> = {};
  for (const [member, name] of memoryMembers) {
    values[member] = stat.get(name) ?? 0n;
  }
  const usage = stats.memoryUsage;
  return {
    ...values,
    hierarchical_memory_limit: usage?.max ?? 0n,
    hierarchical_swap_limit: usage?.swapMax ?? 0n,
    usage: {
      usage: usage?.current ?? 0n,
      limit: usage?.max ?? 0n,
      max: usage?.peak ?? 0n,
    },
    swap: {
      usage: usage?.swapCurrent ?? 0n,
      limit: usage?.swapMax ?? 0n,
      max: usage?.swapPeak ?? 0n,
    },
    kernel: { usage: stat.get("kernel_stack") ?? 0n },
    kernel_tcp: { usage: stat.get("sock") ?? 0n },
  };
}

function blkioEntries(
  io: readonly IoEntry[],
  read: "rbytes" | "rios",
  write: "wbytes" | "wios",
): BlkioEntry[] {
  return io.flatMap(({ major, minor, ...values }) => [
    { op: "Read", major, minor, value: values[read] },
    { op: "Write", major, minor, value: values[write] },
  ]);
}

/** Statistics of version 2 in the shape of the bridge. */
export function metricsOfStats(stats: StatsV2 | undefined): LCOWMetrics {
  const metrics: LCOWMetrics = {};
  if (stats === undefined) return metrics;
  const { cpu, memory, memoryUsage, memoryEvents, pids, io, rdma, hugetlb } =
    stats;
  if (cpu !== undefined) {
    metrics.cpu = {
      usage: {
        total: nanoseconds(cpu.get("usage_usec")),
        user: nanoseconds(cpu.get("user_usec")),
        kernel: nanoseconds(cpu.get("system_usec")),
      },
      throttling: {
        periods: cpu.get("nr_periods") ?? 0n,
        throttled_periods: cpu.get("nr_throttled") ?? 0n,
        throttled_time: nanoseconds(cpu.get("throttled_usec")),
      },
    };
  }
  if (memory !== undefined || memoryUsage !== undefined) {
    metrics.memory = memoryStat(stats);
  }
  if (memoryEvents !== undefined && memoryEvents.size > 0) {
    metrics.memory_oom_control = {
      oom_kill: memoryEvents.get("oom_kill") ?? 0n,
    };
  }
  if (pids !== undefined) metrics.pids = { ...pids };
  if (io !== undefined && io.length > 0) {
    metrics.blkio = {
      io_service_bytes_recursive: blkioEntries(io, "rbytes", "wbytes"),
      io_serviced_recursive: blkioEntries(io, "rios", "wios"),
    };
  }
  if (rdma !== undefined) {
    metrics.rdma = { current: [...rdma.current], limit: [...rdma.limit] };
  }
  if (hugetlb !== undefined) {
    metrics.hugetlb = hugetlb.map((row) => ({ ...row }));
  }
  return metrics;
}

/** Reads `memory.events`; lines that are no pair of name and number are skipped. */
export function parseMemoryEvents(text: string): Map<string, bigint> {
  const events = new Map<string, bigint>();
  for (const line of text.split("\n")) {
    const [, name, value] = line.match(/^(\S+)\s+(\d+)$/) ?? [];
    if (name !== undefined) events.set(name, BigInt(value!));
  }
  return events;
}
