import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { formatJson } from "../../base/json.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { Metrics } from "../../ttrpc/api/cgroups_v1.gen.ts";
import { ProcessDetails as RuncDetails } from "../../ttrpc/api/runc_details.gen.ts";
import { ProcessDetails } from "../../ttrpc/api/runhcs_options.gen.ts";
import { Statistics } from "../../ttrpc/api/runhcs_stats.gen.ts";
import { processSpec, refuses, withTasks } from "./task_scene.ts";

Deno.test("host:D1 calls fail with `vm is not running` when no VM runs", async () => {
  await withTasks(async ({ tasks }) => {
    const id = "x";
    const calls = [
      tasks.call("Start", { id }),
      tasks.call("Exec", { id, execId: "e", spec: processSpec }),
      tasks.call("ResizePty", { id }),
      tasks.call("CloseIO", { id }),
      tasks.call("Update", { id }),
      tasks.call("Stats", { id }),
    ];
    for (const call of calls) {
      await refuses(
        call,
        "FailedPrecondition",
        "vm is not running (state: NotCreated)",
      );
    }
  });
});

Deno.test("host:D2 an unknown container is NotFound", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    const calls = () => [
      tasks.call("State", { id: "x" }),
      tasks.call("Delete", { id: "x" }),
      tasks.call("Pids", { id: "x" }),
      tasks.call("Kill", { id: "x", signal: 9 }),
      tasks.call("Wait", { id: "x" }),
    ];
    for (const call of calls()) await refuses(call, "NotFound", '"x"');
    await scene.run("web");
    for (const call of calls()) await refuses(call, "NotFound", '"x"');
    await refuses(tasks.call("Start", { id: "x" }), "NotFound", '"x"');
    await refuses(tasks.call("State", { id: "web", execId: "e" }), "NotFound");
  });
});

for (
  const [id, name] of [
    ["host:D3", "Pause"],
    ["host:D4", "Resume"],
    ["host:D5", "Checkpoint"],
  ] as const
) {
  Deno.test(`${id} ${name} is not implemented`, async () => {
    await withTasks(async ({ tasks }) => {
      await refuses(tasks.call(name, { id: "x" }), "NotImplemented");
    });
  });
}

Deno.test("host:D17 an error that is no NotFound passes as it is", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    const refused = new ShimError("PermissionDenied", "not this one");
    scene.guest.failNext("signal", refused);
    const call = scene.tasks.call("Kill", { id: "web", signal: 15 });
    const error = await assertRejects(() => call, ShimError) as ShimError;
    assertEquals([error.code, error.message], [
      "PermissionDenied",
      "not this one",
    ]);
  });
});

Deno.test("host:D18 a NotFound names the task and the exec", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    await refuses(
      tasks.call("Kill", { id: "web", signal: 9 }),
      "NotFound",
      '"web"',
    );
    await scene.run("web");
    const kill = { id: "web", execId: "sh", signal: 9 };
    for (const part of ['"web"', '"sh"']) {
      await refuses(tasks.call("Kill", kill), "NotFound", part);
    }
    scene.lastProcess.deliverable = false;
    await refuses(
      tasks.call("Kill", { id: "web", signal: 15 }),
      "NotFound",
      '"web"',
    );
  });
});

Deno.test("host:D7 Update without resources is refused", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    await refuses(scene.tasks.call("Update", { id: "web" }), "InvalidArgument");
  });
});

Deno.test("host:D16 Update with an unknown resource type is refused", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    const resources = { typeUrl: "a.b.C", value: new Uint8Array() };
    await refuses(
      scene.tasks.call("Update", { id: "web", resources }),
      "InvalidArgument",
      "unsupported resource type",
    );
  });
});

Deno.test("host:D23 Update of a container reaches the guest without loss", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    const typeUrl =
      "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";
    const value = new TextEncoder().encode(
      '{"memory":{"limit":9007199254740993}}',
    );
    await scene.tasks.call("Update", {
      id: "web",
      resources: { typeUrl, value },
    });
    const [modify] = scene.guest.callsOf("modify").slice(-1);
    assert(formatJson(modify?.argument).includes("9007199254740993"));
    assertEquals(modify?.containerId, "web");
  });
});

Deno.test("host:D19 Pids lists the guest's processes with the details that clients on Windows know", async () => {
  await withTasks(async (scene) => {
    scene.platform.os = "windows";
    const pid = await scene.run("web");
    scene.guest.propertiesOf.set("web", {
      ProcessList: [{ ProcessId: pid }, { ProcessId: 900 }],
    });
    const { processes } = await scene.tasks.call("Pids", { id: "web" });
    assertEquals(processes.map(({ pid }) => pid), [pid, 900]);
    const info = processes[0]?.info;
    assertEquals(info?.typeUrl, "containerd.runhcs.v1.ProcessDetails");
    assertEquals(ProcessDetails.decode(info!.value).processId, pid);
  });
});

Deno.test("Pids on Linux names execs as runc's shim does", async () => {
  await withTasks(async (scene) => {
    const pid = await scene.run("web");
    const exec = { id: "web", execId: "e1" };
    await scene.tasks.call("Exec", { ...exec, spec: processSpec });
    const { pid: execPid } = await scene.tasks.call("Start", exec);
    scene.guest.propertiesOf.set("web", {
      ProcessList: [{ ProcessId: pid }, { ProcessId: execPid }],
    });
    const { processes } = await scene.tasks.call("Pids", { id: "web" });
    const [init, other] = processes;
    assertEquals(init, { pid });
    assertEquals(other?.info?.typeUrl, "containerd.runc.v1.ProcessDetails");
    assertEquals(RuncDetails.decode(other!.info!.value).execId, "e1");
  });
});

Deno.test("Pids of every existing task names at least its init", async () => {
  await withTasks(async (scene) => {
    const pids = async (): Promise<number[]> => {
      const { processes } = await scene.tasks.call("Pids", { id: "web" });
      return processes.map(({ pid }) => pid);
    };
    await scene.create("web");
    assertEquals(await pids(), [0]);
    const { pid } = await scene.tasks.call("Start", { id: "web" });
    assertEquals(await pids(), [pid]);
    await scene.lastProcess.exit(0);
    await scene.tasks.call("Wait", { id: "web" });
    assertEquals(await pids(), [pid]);
    scene.vm.die();
    assertEquals(await pids(), [pid]);
  });
});

Deno.test("Pids names init when the guest does not list the processes, whatever the reason", async () => {
  await withTasks(async (scene) => {
    const pid = await scene.run("web");
    const pids = async (): Promise<number[]> => {
      const { processes } = await scene.tasks.call("Pids", { id: "web" });
      return processes.map(({ pid }) => pid);
    };
    const { guest } = scene;
    guest.failNext("properties", new HResultError(HResult.Fail, "broken"));
    assertEquals(await pids(), [pid]);
    const release = guest.holdNext("properties");
    const answer = pids();
    await scene.until(() => guest.callsOf("properties").length === 2);
    await scene.clock.advance(defaultTimeouts.processList);
    assertEquals(await answer, [pid]);
    release();
    await scene.lastProcess.exit(0);
  });
});

Deno.test("Stats of a container that ends meanwhile says that it is not there", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    for (const hresult of [HResult.InvalidState, HResult.AccessDenied]) {
      const error = new HResultError(hresult, "cannot");
      scene.guest.failNext("properties", error);
      await refuses(scene.tasks.call("Stats", { id: "web" }), "NotFound");
    }
    await scene.lastProcess.exit(0);
  });
});

/** Metrics with values that a double cannot hold. */
const metrics = {
  pids: { current: 2n },
  cpu: { usage: { total: 12n, per_cpu: [5n, 7n] } },
  memory: { usage: { limit: 18446744073709551615n } },
  memory_oom_control: { oom_kill: 1n },
};

Deno.test("host:D20 Stats packs the guest's metrics, and the VM's for its own task", async () => {
  await withTasks(async (scene) => {
    scene.platform.os = "windows";
    await scene.run("web");
    scene.guest.propertiesOf.set("web", { LCOWMetrics: metrics });
    const { stats } = await scene.tasks.call("Stats", { id: "web" });
    assertEquals(stats?.typeUrl, "containerd.runhcs.stats.v1.Statistics");
    const { linux, vm } = Statistics.decode(stats!.value);
    assertEquals(linux?.pids?.current, 2n);
    assertEquals(linux?.cpu?.usage?.perCpu, [5n, 7n]);
    assertEquals(linux?.memory?.usage?.limit, 18446744073709551615n);
    assertEquals(linux?.memoryOomControl?.oomKill, 1n);
    assertEquals(vm?.processor?.totalRuntimeNs, 5n);
  });
});

Deno.test("Stats on Linux packs cgroup metrics, which clients there know", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    scene.guest.propertiesOf.set("web", { LCOWMetrics: metrics });
    const { stats } = await scene.tasks.call("Stats", { id: "web" });
    assertEquals(stats?.typeUrl, "io.containerd.cgroups.v1.Metrics");
    assertEquals(Metrics.decode(stats!.value).pids?.current, 2n);
  });
});

Deno.test("host:D22 Kill reaches the process with its signal", async () => {
  await withTasks(async (scene) => {
    const pid = await scene.run("web");
    await scene.tasks.call("Kill", { id: "web", signal: 15 });
    assertEquals(
      scene.guest.callsOf("signal").map(({ argument }) => argument),
      [
        { pid, signal: 15 },
      ],
    );
  });
});

Deno.test("ResizePty and CloseIO reach the process", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    await scene.create("web", { terminal: true, stdin: "in", stdout: "out" });
    const { pid } = await tasks.call("Start", { id: "web" });
    await tasks.call("ResizePty", { id: "web", width: 80, height: 0x10018 });
    assertEquals(scene.guest.callsOf("resize")[0]?.argument, {
      pid,
      width: 80,
      height: 24,
    });
    await tasks.call("CloseIO", { id: "web", stdin: true });
  });
});

Deno.test("Kill of init does not wait for an exec that is being started", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    const exec = { id: "web", execId: "slow" };
    await scene.tasks.call("Exec", { ...exec, spec: processSpec });
    const release = scene.guest.holdNext("execute");
    const start = scene.tasks.call("Start", exec);
    await scene.until(() => scene.guest.callsOf("execute").length === 2);
    await scene.tasks.call("Kill", { id: "web", signal: 9, all: true });
    assertEquals(scene.guest.callsOf("signal").length, 1);
    release();
    await start;
    // The exec gets the signal once it runs.
    await scene.until(() => scene.guest.callsOf("signal").length === 2);
    for (const process of scene.guest.processes) await process.exit(137);
  });
});
