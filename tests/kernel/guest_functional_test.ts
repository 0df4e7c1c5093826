import { assert, assertEquals } from "@std/assert";
import { deadline, systemClock } from "../../base/clock.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import type { JsonObject } from "../../base/json.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { readLayout } from "../../guest/cgroup/layout.ts";
import { CgroupV1 } from "../../guest/cgroup/v1.ts";
import { GuestVm, mustSkip, type TestContainer } from "./guest_fixture.ts";
import {
  converse,
  ioCases,
  listContainers,
  Running,
  running,
} from "./guest_runs.ts";

Deno.test.beforeAll(() => void libc());

const ignore = await mustSkip("functions of the guest");

const mib = 1024 * 1024;
const timeout = 60_000;
const all = { stdin: true, stdout: true, stderr: true };

/** A test in an agent of its own, which leaves nothing. */
function guestTest(name: string, test: (vm: GuestVm) => Promise<void>): void {
  Deno.test({ name, ignore, timeout }, async () => {
    const vm = await GuestVm.start();
    try {
      await test(vm);
      assertEquals(await listContainers(vm), []);
      assertEquals(await vm.leftovers(), []);
    } finally {
      await vm.stop();
    }
  });
}

/** Members of a specification with these limits. */
function limited(resources: JsonObject): JsonObject {
  const namespaces = ["pid", "ipc", "uts", "mount", "network"]
    .map((type) => ({ type }));
  return { linux: { namespaces, resources } };
}

const sandboxAnnotations = { "io.kubernetes.cri.container-type": "sandbox" };
/** A workload that joins the namespaces of its sandbox, whose init is `pid`. */
function workloadOf(
  pod: string,
  pid: number,
): Omit<TestContainer, "args" | "id"> {
  const rows = [
    ["network", "net"],
    ["ipc", "ipc"],
    ["uts", "uts"],
    ["pid", "pid"],
  ] as const;
  const joined = rows
    .map(([type, name]) => ({ type, path: `/proc/${pid}/ns/${name}` }));
  return {
    pod,
    annotations: {
      "io.kubernetes.cri.container-type": "container",
      "io.kubernetes.cri.sandbox-id": pod,
    },
    spec: { linux: { namespaces: [...joined, { type: "mount" }] } },
  };
}

guestTest(
  "guest:P2 a container that was started is the only one of the runtime, with the id and the process that the host knows",
  async (vm) => {
    const one = await running(vm, { id: "one" });
    assertEquals(await listContainers(vm), [
      { id: "one", pid: one.init.pid, status: "running" },
    ]);
    assertEquals(await one.kill(), 137);
  },
);

guestTest(
  "guest:P3 after its end and its removal neither agent nor runtime know a container",
  async (vm) => {
    const container = { id: "one", args: ["true"] };
    await vm.create(container);
    const init = await vm.start("one");
    await init.close();
    assertEquals(await init.exited, 0);
    await vm.remove(container);
    const error = await vm.guest.properties("one", []).then(
      () => undefined,
      (error) => error,
    );
    assert(error instanceof HResultError);
    assertEquals(error.hresult, HResult.SystemNotFound);
    assertEquals(await listContainers(vm), []);
  },
);

guestTest(
  "guest:P4 an init says nothing, or exactly what it should, or what it is told",
  async (vm) => {
    for (const [i, io] of ioCases.entries()) {
      const container = { id: `io${i}`, args: io.args };
      await vm.create(container);
      await converse(await vm.start(container.id, all), io);
      await vm.remove(container);
      assertEquals(await listContainers(vm), []);
    }
  },
);

guestTest(
  "guest:P5 a further process says nothing, or exactly what it should, or what it is told",
  async (vm) => {
    const one = await running(vm, { id: "one" });
    for (const io of ioCases) {
      await converse(await vm.exec("one", io.args, all), io);
    }
    await one.kill();
  },
);

guestTest(
  "guest:P6 a container that is killed ends with 137 by force, one that ends by itself with 0 and not by force",
  async (vm) => {
    const killed = await running(vm, { id: "killed" });
    assertEquals(await killed.kill(), 137);
    assertEquals(await vm.endings.of("killed"), "ForcedExit");
    const container = { id: "natural", args: ["true"] };
    await vm.create(container);
    const init = await vm.start("natural");
    await init.close();
    assertEquals(await init.exited, 0);
    assertEquals(await vm.endings.of("natural"), "UnexpectedExit");
    await vm.remove(container);
  },
);

guestTest(
  "guest:P9 a workload that joins its sandbox's namespaces is created, then runs, and goes before it",
  async (vm) => {
    const box = await running(vm, {
      id: "pod",
      annotations: sandboxAnnotations,
    });
    const workload = {
      ...workloadOf("pod", box.init.pid),
      id: "web",
      args: ["sleep", "1000"],
    };
    const sandbox = { id: "pod", pid: box.init.pid, status: "running" };
    await vm.create(workload);
    const [first, created, ...more] = await listContainers(vm);
    assertEquals([first, more], [sandbox, []]);
    assertEquals([created?.id, created?.status], ["web", "created"]);
    const web = new Running(vm, workload, await vm.start("web"));
    assertEquals(created?.pid, web.init.pid);
    assertEquals(await listContainers(vm), [
      sandbox,
      { id: "web", pid: web.init.pid, status: "running" },
    ]);
    const script = "cd /proc/self/ns; for name in net ipc uts pid; " +
      "do readlink $name; done";
    const { output } = await web.shell(script);
    assertEquals(output.match(/^\w+:\[\d+\]$/gm)?.length, 4);
    assertEquals(output, (await box.shell(script)).output);
    await web.kill();
    assertEquals(await listContainers(vm), [sandbox]);
    await box.kill();
  },
);

Deno.test({
  name: "guest:P10 the version of the control groups is that of the mounts",
  ignore,
  timeout,
}, async () => {
  const { version } = await readLayout();
  const exists = (path: string): Promise<boolean> =>
    Deno.stat(path).then(() => true, () => false);
  const unified = await exists("/sys/fs/cgroup/cgroup.controllers");
  assertEquals(version, unified ? 2 : 1);
  if (version === 1) assert(await exists("/sys/fs/cgroup/memory"));
});

guestTest(
  "guest:P11 the statistics of a container have its memory, its time and its processes",
  async (vm) => {
    const one = await running(vm, { id: "one" });
    const { memory, cpu, pids } = await one.statistics();
    assert(memory!.usage!.usage! > 0n);
    assert(cpu?.usage !== undefined);
    assert(pids!.current! > 0n);
    await one.kill();
  },
);

guestTest(
  "guest:P12 a limit of 128 MiB is told exactly, and kept",
  async (vm) => {
    const limit = 128 * mib;
    const spec = limited({ memory: { limit } });
    const one = await running(vm, { id: "one", spec });
    const { memory } = await one.statistics();
    assertEquals(memory!.usage!.limit, BigInt(limit));
    assert(memory!.usage!.usage! <= BigInt(limit));
    await one.kill();
  },
);

guestTest(
  "guest:P13 a further process is in the control group of its container",
  async (vm) => {
    const one = await running(vm, { id: "one" });
    const { output } = await one.shell("cat /proc/self/cgroup");
    const groups = new Map<string, string>();
    for (const line of output.trim().split("\n")) {
      const [, names = "", path = ""] = line.split(":");
      for (const name of names.split(",")) groups.set(name, path);
    }
    for (const name of ["cpu", "memory", "pids"]) {
      assertEquals(groups.get(name), "/pods/one");
    }
    await one.kill();
  },
);

guestTest("guest:P14 two containers tell their own limits", async (vm) => {
  const limits = [64 * mib, 128 * mib];
  const containers: Running[] = [];
  for (const limit of limits) {
    const spec = limited({ memory: { limit } });
    containers.push(await running(vm, { id: `of${limit}`, spec }));
  }
  for (const [i, container] of containers.entries()) {
    const { memory } = await container.statistics();
    assertEquals(memory!.usage!.limit, BigInt(limits[i]!));
  }
  for (const container of containers) await container.kill();
});

guestTest(
  "guest:P15 a container that is busy for two seconds is held to its quota",
  async (vm) => {
    const spec = limited({ cpu: { quota: 10_000, period: 100_000 } });
    const one = await running(vm, { id: "one", spec });
    await one.shell("timeout -s KILL 2 sh -c 'while :; do :; done'");
    const { cpu } = await one.statistics();
    const { periods, throttled_periods, throttled_time } = cpu!.throttling!;
    const numbers = {
      periods,
      throttled_periods,
      throttled_time,
      total: cpu!.usage!.total,
    };
    for (const [name, number] of Object.entries(numbers)) {
      assert(number! > 0n, name);
    }
    await one.kill();
  },
);

guestTest(
  "guest:P16 a container without memory left is told in its statistics and by an event of its group",
  async (vm) => {
    const spec = {
      ...limited({ memory: { limit: 64 * mib } }),
      mounts: [
        { destination: "/proc", type: "proc", source: "proc" },
        { destination: "/dev", type: "tmpfs", source: "tmpfs" },
        {
          destination: "/dev/shm",
          type: "tmpfs",
          source: "shm",
          options: ["size=256m"],
        },
      ],
    };
    const one = await running(vm, { id: "one", spec });
    const place = vm.path("/sys/fs/cgroup/memory");
    const controllers = new Map([["memory", place]]);
    const tree = new CgroupV1(
      { version: 1, controllers, hybrid: false },
      systemClock,
    );
    const stop = new AbortController();
    const watch = await tree.watchOom("/pods/one", stop.signal);
    const event = watch[Symbol.asyncIterator]().next();
    // The kernel takes this process before the init.
    const written = one.shell(
      "echo 1000 > /proc/self/oom_score_adj; " +
        `exec head -c ${128 * mib} /dev/zero > /dev/shm/file`,
    );
    const { done } = await deadline(
      systemClock,
      5_000,
      "The event",
      () => event,
    );
    assertEquals(done, false);
    stop.abort();
    assertEquals((await written).code, 137);
    const { memory_oom_control } = await one.statistics();
    assert(memory_oom_control!.oom_kill! > 0n);
    await one.kill();
  },
);

guestTest(
  "guest:P18 containers that were not started can be killed, waited for and removed; no loop of lives leaves anything",
  async (vm) => {
    const clean = async (): Promise<void> => {
      assertEquals(await listContainers(vm), []);
      assertEquals(await vm.leftovers(), []);
    };
    for (let i = 0; i < 3; i++) {
      const container = { id: `created${i}`, args: ["true"] };
      const { id } = container;
      await vm.create(container);
      const [listed] = await listContainers(vm);
      assertEquals(listed?.status, "created");
      await vm.connection.call("ShutdownForced", id, {});
      const { ExitCode } = await vm.connection.call("WaitForProcess", id, {
        ProcessId: listed!.pid,
        TimeoutInMs: timeout,
      });
      assertEquals(ExitCode, 137);
      assertEquals(await vm.endings.of(id), "ForcedExit");
      await vm.remove(container);
      await clean();
    }
    for (let i = 0; i < 3; i++) {
      const container = { id: `graceful${i}`, args: ["true"] };
      await vm.create(container);
      const init = await vm.start(container.id);
      await init.close();
      assertEquals(await init.exited, 0);
      await vm.remove(container);
      await clean();
    }
    for (const id of ["pod0", "pod1"]) {
      const box = await running(vm, { id, annotations: sandboxAnnotations });
      for (let i = 0; i < 2; i++) {
        const web = await running(vm, {
          ...workloadOf(id, box.init.pid),
          id: `${id}-web${i}`,
        });
        assertEquals(await web.kill(), 137);
      }
      assertEquals(await box.kill(), 137);
      await clean();
    }
  },
);
