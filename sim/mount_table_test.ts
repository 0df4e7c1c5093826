import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mountTable } from "./mount_table.ts";

const folder = "/run/lcow/vm/01234567";

Deno.test("mountTable() builds the root first and escapes white space", () => {
  const table = mountTable(
    folder,
    { version: 1, hierarchies: [] },
    [{ path: "/home/a b", readOnly: true }],
  );
  const lines = table.trimEnd().split("\n");
  assertStringIncludes(lines[0]!, `${folder}/m/root overlay lowerdir=/,`);
  assertStringIncludes(
    table,
    `/home/a\\040b ${folder}/m/root/home/a\\040b none bind,ro,X-mount.mkdir 0 0`,
  );
  assert(lines.every((line) => line.split(" ").length === 6), table);
});

Deno.test("mountTable() gives a version 1 guest its controllers, named hierarchies aside", () => {
  const table = mountTable(folder, {
    version: 1,
    hierarchies: [
      {
        mountPoint: "/c/cpu,cpuacct",
        version: 1,
        controllers: ["cpu", "cpuacct"],
      },
      { mountPoint: "/c/systemd", version: 1, controllers: [] },
      { mountPoint: "/c/unified", version: 2, controllers: ["hugetlb"] },
    ],
  }, []);
  const groups = table.split("\n").filter((line) => line.startsWith("cgroup"));
  assertEquals(groups.length, 2);
  assertStringIncludes(groups[1]!, "/sys/fs/cgroup/cpu,cpuacct cgroup ");
});

Deno.test("mountTable() gives a version 2 guest one hierarchy", () => {
  const table = mountTable(folder, {
    version: 2,
    hierarchies: [{
      mountPoint: "/sys/fs/cgroup",
      version: 2,
      controllers: [],
    }],
  }, []);
  const groups = table.split("\n").filter((line) => line.startsWith("cgroup"));
  assertEquals(groups.length, 1);
  assertStringIncludes(groups[0]!, "/sys/fs/cgroup cgroup2 ");
});
