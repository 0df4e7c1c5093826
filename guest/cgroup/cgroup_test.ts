import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { parseLayout } from "./layout.ts";
import { statsV1 } from "./stats_v1.ts";
import { CgroupV2 } from "./v2.ts";

const base = "25 1 0:30 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755";
const row = (name: string, type = "cgroup"): string =>
  `30 25 0:31 / /sys/fs/cgroup/${name} rw,relatime - ${type} ${type} rw,${name}`;

Deno.test("guest:P10 parseLayout() finds the controllers of version 1", () => {
  const layout = parseLayout(
    [
      base,
      row("memory"),
      row("cpu,cpuacct"),
      "31 25 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd",
      row("unified", "cgroup2"),
    ].join("\n"),
    "",
  );
  assertEquals(layout.version, 1);
  assertEquals([...layout.controllers], [
    ["memory", "/sys/fs/cgroup/memory"],
    ["cpu", "/sys/fs/cgroup/cpu,cpuacct"],
    ["cpuacct", "/sys/fs/cgroup/cpu,cpuacct"],
  ]);
  assertEquals(layout.unified, "/sys/fs/cgroup/unified");
  assertEquals(layout.hybrid, false);
  assertEquals(
    parseLayout(`${base}\n${row("memory")}`, "hugetlb").hybrid,
    true,
  );
});

Deno.test("parseLayout() finds version 2, and nothing", () => {
  const unified =
    "30 25 0:31 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate";
  assertEquals(parseLayout(unified, "cpu memory").version, 2);
  assertEquals(parseLayout("", "").controllers.size, 0);
});

Deno.test("parseLayout() does not count what a later mount covers", () => {
  const layout = parseLayout(
    [base, row("unified", "cgroup2"), row("pids"), base, row("memory")]
      .join("\n"),
    "",
  );
  assertEquals([...layout.controllers.keys()], ["memory"]);
  assertEquals(layout.unified, undefined);
});

async function withFiles(
  files: Record<string, string>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries(files)) {
      const parent = `${folder}/${path}`.replace(/\/[^/]*$/, "");
      await Deno.mkdir(parent, { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, text);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("statsV1() reads what the kernel tells", () =>
  withFiles({
    "memory/pods/a/cgroup.procs": "1\n",
    "memory/pods/a/memory.stat": "cache 1\npgfault 2\ntotal_cache 3\n" +
      "hierarchical_memory_limit 9223372036854771712\n",
    "memory/pods/a/memory.usage_in_bytes": "5\n",
    "memory/pods/a/memory.max_usage_in_bytes": "6\n",
    "memory/pods/a/memory.failcnt": "7\n",
    "memory/pods/a/memory.limit_in_bytes": "8\n",
    "memory/pods/a/memory.oom_control":
      "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "cpuacct/pods/a/cgroup.procs": "1\n",
    "cpuacct/pods/a/cpuacct.usage": "18446744073709551615\n",
    "cpuacct/pods/a/cpuacct.stat": "user 2\nsystem 3\n",
    "cpuacct/pods/a/cpuacct.usage_percpu": "4 5 \n",
    "pids/pods/a/cgroup.procs": "1\n",
    "pids/pods/a/pids.current": "1\n",
    "pids/pods/a/pids.max": "max\n",
    "blkio/pods/a/cgroup.procs": "1\n",
  }, async (folder) => {
    const controllers = new Map(
      ["memory", "cpuacct", "pids", "blkio"].map((name) => [
        name,
        `${folder}/${name}`,
      ]),
    );
    const metrics = await statsV1(controllers, "/pods/a");
    assertEquals(metrics.cpu?.usage, {
      total: 2n ** 64n - 1n,
      user: 20_000_000n,
      kernel: 30_000_000n,
      per_cpu: [4n, 5n],
    });
    assertEquals(metrics.memory?.cache, 1n);
    assertEquals(metrics.memory?.total_cache, 3n);
    assertEquals(metrics.memory?.pg_fault, 2n);
    assertEquals(metrics.memory?.usage, {
      usage: 5n,
      max: 6n,
      failcnt: 7n,
      limit: 8n,
    });
    assertEquals(metrics.memory?.swap, {});
    assertEquals(metrics.memory_oom_control?.oom_kill, 2n);
    assertEquals(metrics.pids, { current: 1n, limit: 0n });
    assertEquals(metrics.blkio, {});
    await assertRejects(
      () => statsV1(controllers, "/pods/gone"),
      Error,
      'Cannot load v1 cgroup "/pods/gone"',
    );
  }));

Deno.test("statsV1() refuses a line that is none", () =>
  withFiles({
    "memory/a/cgroup.procs": "",
    "memory/a/memory.stat": "cache much\n",
  }, async (folder) => {
    const controllers = new Map([["memory", `${folder}/memory`]]);
    await assertRejects(() => statsV1(controllers, "/a"), Error, "cache much");
  }));

Deno.test("version 2 has zeros for a group that is gone", () =>
  withFiles({}, async (folder) => {
    const tree = new CgroupV2(folder, new FakeClock());
    const { memory, pids, rdma, memory_oom_control } = await tree.stats(
      "/gone",
    );
    assertEquals(memory?.usage?.usage, 0n);
    assertEquals(pids, { current: 0n, limit: 0n });
    assertEquals(rdma, { current: [], limit: [] });
    assertEquals(memory_oom_control, undefined);
    assertEquals(await tree.processes("/gone"), []);
    await tree.remove("/gone");
  }));

Deno.test("guest:J14 a process cannot join a group that does not exist", () =>
  withFiles({}, async (folder) => {
    const tree = new CgroupV2(folder, new FakeClock());
    await assertRejects(() => tree.join("/none", 1), Error, "cgroup.procs");
  }));
