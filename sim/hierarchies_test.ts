import { assertEquals } from "@std/assert";
import { chooseLayout, linkJoined, parseHierarchies } from "./hierarchies.ts";

const hybrid = `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
99 31 0:32 / /mnt/with\\040space rw,relatime - cgroup cgroup rw,memory
`;

Deno.test("parseHierarchies() finds each hierarchy once, joined ones included", () => {
  assertEquals(parseHierarchies(hybrid), [
    {
      mountPoint: "/sys/fs/cgroup/cpu,cpuacct",
      version: 1,
      controllers: ["cpu", "cpuacct"],
    },
    {
      mountPoint: "/sys/fs/cgroup/memory",
      version: 1,
      controllers: ["memory"],
    },
    { mountPoint: "/sys/fs/cgroup/systemd", version: 1, controllers: [] },
    { mountPoint: "/sys/fs/cgroup/unified", version: 2, controllers: [] },
  ]);
});

Deno.test("parseHierarchies() reads escaped mount points", () => {
  const line = "9 1 0:1 / /a\\040b rw - cgroup cgroup rw,pids";
  assertEquals(parseHierarchies(line)[0]?.mountPoint, "/a b");
});

Deno.test("chooseLayout() shows version 1 when version 2 cannot limit", () => {
  const layout = chooseLayout(parseHierarchies(hybrid), "hugetlb\n");
  assertEquals(layout.version, 1);
  assertEquals(layout.hierarchies.length, 4);
});

Deno.test("chooseLayout() shows version 2 when it has cpu and memory", () => {
  const mounts = "9 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
  const layout = chooseLayout(
    parseHierarchies(mounts),
    "cpuset cpu io memory pids\n",
  );
  assertEquals(layout, {
    version: 2,
    hierarchies: [{
      mountPoint: "/sys/fs/cgroup",
      version: 2,
      controllers: ["cpuset", "cpu", "io", "memory", "pids"],
    }],
  });
});

Deno.test("linkJoined() gives joined controllers their own names", async () => {
  const root = await Deno.makeTempDir({ prefix: "lcow-groups-" });
  await Deno.mkdir(`${root}/sys/fs/cgroup`, { recursive: true });
  await linkJoined(root, chooseLayout(parseHierarchies(hybrid), ""));
  const links = await Array.fromAsync(
    Deno.readDir(`${root}/sys/fs/cgroup`),
    ({ name }) => name,
  );
  assertEquals(links.sort(), ["cpu", "cpuacct"]);
  assertEquals(
    await Deno.readLink(`${root}/sys/fs/cgroup/cpu`),
    "cpu,cpuacct",
  );
  await Deno.remove(root, { recursive: true });
});
