import { assert, assertEquals } from "@std/assert";
import {
  cpuWeight,
  filesOfResources,
  metricsOfStats,
  parseMemoryEvents,
} from "./convert.ts";

const most = 2n ** 64n - 1n;

Deno.test("guest:J2 no statistics give no sections", () => {
  assertEquals(metricsOfStats(undefined), {});
  assertEquals(metricsOfStats({}), {});
});

Deno.test("guest:J3 guest:J4 guest:J10 memory is mapped, and oom_kill never comes from oom", () => {
  const { memory, memory_oom_control, cpu, pids } = metricsOfStats({
    memory: new Map([["file", 1n], ["anon", 2n], ["kernel_stack", 3n]]),
    memoryUsage: {
      current: 10n,
      max: most,
      peak: 12n,
      swapCurrent: 0n,
      swapMax: 14n,
      swapPeak: 15n,
    },
    memoryEvents: new Map([["oom", 100n], ["oom_kill", 3n]]),
  });
  assertEquals(memory?.usage, { usage: 10n, limit: most, max: 12n });
  assertEquals(memory?.swap, { usage: 0n, limit: 14n, max: 15n });
  assertEquals(memory?.cache, 1n);
  assertEquals(memory?.rss, 2n);
  assertEquals(memory?.kernel, { usage: 3n });
  assertEquals(memory?.hierarchical_memory_limit, most);
  assertEquals(memory_oom_control, { oom_kill: 3n });
  assertEquals([cpu, pids], [undefined, undefined]);
});

Deno.test("guest:J5 guest:J6 cpu times become nanoseconds, counts are copied", () => {
  const { cpu, pids } = metricsOfStats({
    cpu: new Map([
      ["usage_usec", 7n],
      ["user_usec", 4n],
      ["system_usec", 3n],
      ["nr_periods", 2n],
      ["nr_throttled", 1n],
      ["throttled_usec", most],
    ]),
    pids: { current: 5n, limit: most },
  });
  assertEquals(cpu, {
    usage: { total: 7000n, user: 4000n, kernel: 3000n },
    throttling: {
      periods: 2n,
      throttled_periods: 1n,
      throttled_time: BigInt.asUintN(64, most * 1000n),
    },
  });
  assertEquals(pids, { current: 5n, limit: most });
});

Deno.test("guest:J7 guest:J8 guest:J9 lists keep their entries and order", () => {
  const device = { rbytes: 1n, wbytes: 2n, rios: 3n, wios: 4n, minor: 0n };
  const row = { device: "mlx", hca_handles: 1, hca_objects: 2 };
  const { blkio, rdma, hugetlb } = metricsOfStats({
    io: [{ ...device, major: 8n }, { ...device, major: 9n }],
    rdma: { current: [row], limit: [row, row] },
    hugetlb: [{ usage: 1n, max: 2n }, { usage: 3n, max: 4n }],
  });
  const bytes = blkio?.io_service_bytes_recursive;
  assertEquals(bytes?.map(({ op, major, value }) => [op, major, value]), [
    ["Read", 8n, 1n],
    ["Write", 8n, 2n],
    ["Read", 9n, 1n],
    ["Write", 9n, 2n],
  ]);
  assertEquals(blkio?.io_serviced_recursive?.length, 4);
  assertEquals(rdma, { current: [row], limit: [row, row] });
  assertEquals(hugetlb, [{ usage: 1n, max: 2n }, { usage: 3n, max: 4n }]);
});

Deno.test("guest:J11 limits of version 1 become files of version 2", () => {
  assertEquals(filesOfResources(undefined), []);
  assertEquals(filesOfResources({ pids: { limit: 0n } }), []);
  assertEquals(
    filesOfResources({
      memory: { limit: 2n ** 63n - 1n, reservation: 0n, swap: -1n },
      cpu: { shares: 1024n, quota: 10000n, period: 100000n },
      pids: { limit: 7n },
      blockIO: { weight: 500 },
    }),
    [
      ["memory.max", "9223372036854775807"],
      ["memory.low", "0"],
      ["memory.swap.max", "max"],
      ["cpu.weight", "39"],
      ["cpu.max", "10000 100000"],
      ["pids.max", "7"],
      ["io.bfq.weight", "500"],
    ],
  );
});

Deno.test("guest:J12 shares become weights", () => {
  const rows: [bigint, bigint | undefined][] = [
    [0n, undefined],
    [1n, 1n],
    [2n, 1n],
    [1024n, 39n],
    [262144n, 10000n],
  ];
  for (const [shares, weight] of rows) assertEquals(cpuWeight(shares), weight);
});

Deno.test("guest:J13 memory.events is read leniently", () => {
  const standard =
    "low 0\nhigh 0\nmax 35\noom 1\noom_kill 1\noom_group_kill 0\n";
  assertEquals(parseMemoryEvents(standard).size, 6);
  assertEquals(parseMemoryEvents("").size, 0);
  assertEquals(parseMemoryEvents("oom_kill 7").get("oom_kill"), 7n);
  const bad = parseMemoryEvents("a b\nc 1 2\nd\ne 5\n");
  assertEquals([...bad], [["e", 5n]]);
  assert(!bad.has("a"));
});
