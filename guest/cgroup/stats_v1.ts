/**
 * Statistics of version 1, in the shape of the bridge
 * (`spec/guest-runtime.md` 12.2).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type {
  CpuStat,
  HugetlbStat,
  LCOWMetrics,
  MemoryEntry,
  MemoryOomControl,
  MemoryStat,
  PidsStat,
} from "../../bridge/messages.gen.ts";
import { readFile, readNumber, readPairs, unlimited } from "./files.ts";

/** Nanoseconds of one tick of `cpuacct.stat` (USER_HZ is 100). */
const tick = 10_000_000n;

/** Members of `memory.stat` whose names differ on the bridge. */
const renamed: Readonly<Record<string, string>> = {
  pgpgin: "pg_pg_in",
  pgpgout: "pg_pg_out",
  pgfault: "pg_fault",
  pgmajfault: "pg_maj_fault",
  hierarchical_memsw_limit: "hierarchical_swap_limit",
};

const memoryMembers = [
  "cache",
  "rss",
  "rss_huge",
  "mapped_file",
  "dirty",
  "writeback",
  "pg_pg_in",
  "pg_pg_out",
  "pg_fault",
  "pg_maj_fault",
  "inactive_anon",
  "active_anon",
  "inactive_file",
  "active_file",
  "unevictable",
] as const;

async function cpuStat(
  acct: string | undefined,
  cpu: string | undefined,
): Promise<CpuStat> {
  const usage: NonNullable<CpuStat["usage"]> = {};
  if (acct !== undefined) {
    usage.total = await readNumber(`${acct}/cpuacct.usage`) ?? 0n;
    const ticks = await readPairs(`${acct}/cpuacct.stat`);
    usage.user = (ticks?.get("user") ?? 0n) * tick;
    usage.kernel = (ticks?.get("system") ?? 0n) * tick;
    const perCpu = await readFile(`${acct}/cpuacct.usage_percpu`);
    usage.per_cpu = (perCpu ?? "").split(/\s+/)
      .filter((text) => /^\d+$/.test(text)).map(BigInt);
  }
  const stat = cpu && await readPairs(`${cpu}/cpu.stat`) || new Map();
  return {
    usage,
    throttling: {
      periods: stat.get("nr_periods") ?? 0n,
      throttled_periods: stat.get("nr_throttled") ?? 0n,
      throttled_time: stat.get("throttled_time") ?? 0n,
    },
  };
}

/** One counter of memory; undefined when a file is missing. */
async function memoryEntry(
  path: string,
  infix: string,
): Promise<MemoryEntry | undefined> {
  const values: bigint[] = [];
  const names = [
    "usage_in_bytes",
    "max_usage_in_bytes",
    "failcnt",
    "limit_in_bytes",
  ];
  for (const name of names) {
    const value = await readNumber(`${path}/memory.${infix}${name}`);
    if (value === undefined) return undefined;
    values.push(value);
  }
  const [usage, max, failcnt, limit] = values as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  return { usage, max, failcnt, limit };
}

async function memoryStat(path: string): Promise<MemoryStat | undefined> {
  const pairs = await readPairs(`${path}/memory.stat`);
  if (pairs === undefined) return undefined;
  const values: Record<string, bigint> = {};
  for (const [name, value] of pairs) {
    const total = name.startsWith("total_") ? "total_" : "";
    const plain = name.slice(total.length);
    values[total + (renamed[plain] ?? plain)] = value;
  }
  const stat: MemoryStat = {};
  for (const member of memoryMembers) {
    stat[member] = values[member] ?? 0n;
    if (member in values) {
      stat[`total_${member}`] = values[`total_${member}`] ?? 0n;
    }
  }
  stat.hierarchical_memory_limit = values.hierarchical_memory_limit ?? 0n;
  stat.hierarchical_swap_limit = values.hierarchical_swap_limit ?? 0n;
  // The first missing file ends this part; what follows stays empty.
  let missing = false;
  for (
    const [section, infix] of [
      ["usage", ""],
      ["swap", "memsw."],
      ["kernel", "kmem."],
      ["kernel_tcp", "kmem.tcp."],
    ] as const
  ) {
    const entry: MemoryEntry | undefined = missing
      ? undefined
      : await memoryEntry(path, infix);
    missing ||= entry === undefined;
    stat[section] = entry ?? {};
  }
  return stat;
}

async function oomControl(path: string): Promise<MemoryOomControl | undefined> {
  const pairs = await readPairs(`${path}/memory.oom_control`);
  if (pairs === undefined) return undefined;
  return {
    oom_kill_disable: pairs.get("oom_kill_disable") ?? 0n,
    under_oom: pairs.get("under_oom") ?? 0n,
    oom_kill: pairs.get("oom_kill") ?? 0n,
  };
}

async function pidsStat(path: string): Promise<PidsStat> {
  const limit = await readNumber(`${path}/pids.max`) ?? 0n;
  return {
    current: await readNumber(`${path}/pids.current`) ?? 0n,
    limit: limit === unlimited ? 0n : limit,
  };
}

async function hugetlbStats(path: string): Promise<HugetlbStat[]> {
  const stats: HugetlbStat[] = [];
  for await (const { name } of Deno.readDir(path)) {
    const [, pagesize] = name.match(/^hugetlb\.([^.]+)\.usage_in_bytes$/) ?? [];
    if (pagesize === undefined) continue;
    const read = async (file: string): Promise<bigint> =>
      await readNumber(`${path}/hugetlb.${pagesize}.${file}`) ?? 0n;
    stats.push({
      pagesize,
      usage: await read("usage_in_bytes"),
      max: await read("max_usage_in_bytes"),
      failcnt: await read("failcnt"),
    });
  }
  return stats.sort((a, b) => a.pagesize! < b.pagesize! ? -1 : 1);
}

/**
 * Reads the statistics of a group. Lists per device and per interface are left
 * empty, because a message holds 64 KiB.
 *
 * @param controllers Mount point of every controller.
 * @param path The group.
 * @throws {ShimError} NotFound when no controller knows the group.
 */
export async function statsV1(
  controllers: ReadonlyMap<string, string>,
  path: string,
): Promise<LCOWMetrics> {
  const at = async (controller: string): Promise<string | undefined> => {
    const place = controllers.get(controller);
    if (place === undefined) return undefined;
    const group = `${place}${path}`;
    const procs = await readFile(`${group}/cgroup.procs`);
    return procs === undefined ? undefined : group;
  };
  const groups = new Map<string, string>();
  for (const controller of controllers.keys()) {
    const group = await at(controller);
    if (group !== undefined) groups.set(controller, group);
  }
  if (groups.size === 0) {
    throw new ShimError("NotFound", `Cannot load v1 cgroup "${path}"`);
  }
  const metrics: LCOWMetrics = {
    cpu: await cpuStat(groups.get("cpuacct"), groups.get("cpu")),
  };
  const pids = groups.get("pids");
  if (pids !== undefined) metrics.pids = await pidsStat(pids);
  const memory = groups.get("memory");
  if (memory !== undefined) {
    const stat = await memoryStat(memory);
    if (stat !== undefined) metrics.memory = stat;
    const oom = await oomControl(memory);
    if (oom !== undefined) metrics.memory_oom_control = oom;
  }
  const hugetlb = groups.get("hugetlb");
  if (hugetlb !== undefined) metrics.hugetlb = await hugetlbStats(hugetlb);
  if (groups.has("blkio")) metrics.blkio = {};
  if (groups.has("rdma")) metrics.rdma = {};
  return metrics;
}
