import { assertEquals, assertRejects } from "@std/assert";
import { enabledControllers, mountControlGroups } from "./control_groups.ts";
import { fakeMachine } from "./fake_machine.ts";

const one = [
  "mount cgroup /sys/fs/cgroup tmpfs 14 mode=0755",
  "folder /sys/fs/cgroup/cpu 755",
  "mount cpu /sys/fs/cgroup/cpu cgroup 14 cpu",
  "folder /sys/fs/cgroup/memory 755",
  "mount memory /sys/fs/cgroup/memory cgroup 14 memory",
];

const unified = "mount cgroup2 /sys/fs/cgroup cgroup2 14";

Deno.test("mountControlGroups() mounts a hierarchy per enabled controller when it is told so", async () => {
  const { ports, notes } = fakeMachine();
  const version = await mountControlGroups("a hcsshim.cgroup=v1 b", ports);
  assertEquals([version, ...notes], [1, ...one]);
});

Deno.test("mountControlGroups() takes only the whole word for an order", async () => {
  const { ports } = fakeMachine();
  assertEquals(await mountControlGroups("x.hcsshim.cgroup=v1", ports), 2);
  assertEquals(await mountControlGroups("hcsshim.cgroup=v12", ports), 2);
});

Deno.test("mountControlGroups() falls back when the unified tree cannot be mounted", async () => {
  const { ports, notes } = fakeMachine({ failures: { [unified]: 19 } });
  assertEquals(await mountControlGroups("", ports), 1);
  assertEquals(notes, [unified, ...one]);
});

Deno.test("mountControlGroups() falls back when the unified tree cannot judge devices", async () => {
  const { ports, notes } = fakeMachine({ withoutDevices: true });
  assertEquals(await mountControlGroups("", ports), 1);
  assertEquals(notes, [unified, "unmount /sys/fs/cgroup", ...one]);
});

Deno.test("mountControlGroups() survives controllers that cannot be handed down", async () => {
  const write =
    "write /sys/fs/cgroup/cgroup.subtree_control +cpu +memory +pids";
  const { ports, log } = fakeMachine({ failures: { [write]: 16 } });
  assertEquals(await mountControlGroups("", ports), 2);
  assertEquals(log.length, 1);
});

Deno.test("mountControlGroups() fails in a kernel without controllers", async () => {
  const files = { "/proc/cgroups": "#subsys_name\thierarchy\n" };
  const { ports } = fakeMachine({ files });
  await assertRejects(
    () => mountControlGroups("hcsshim.cgroup=v1", ports),
    Error,
    "no controllers",
  );
});

Deno.test("enabledControllers() leaves out what was disabled", () => {
  const text = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n" +
    "cpuset\t0\t1\t1\nmemory\t0\t1\t0\npids\t4\t9\t1\n";
  assertEquals(enabledControllers(text), ["cpuset", "pids"]);
});
