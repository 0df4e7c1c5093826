import { assert, assertEquals, assertMatch } from "@std/assert";
import { readFull } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { nullGuid } from "../../base/guid.ts";
import { limits } from "../../base/timeouts.ts";
import type { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
import { FakeCall, type FakeShimOptions } from "../fake_shim.ts";
import { diagClient, type ServiceClient } from "./fake_client.ts";
import {
  processSpec,
  refuses,
  type TaskScene,
  withTasks,
} from "./task_scene.ts";

type DiagClient = ServiceClient<typeof ShimDiag>;

const injected = new ShimError("Internal", "injected");

/** Runs a test with a sandbox whose VM runs and that has no pods. */
function withVm(
  task: (scene: TaskScene, diag: DiagClient) => Promise<void>,
  options: FakeShimOptions = {},
): Promise<void> {
  return withTasks(async (scene) => {
    await scene.sandboxes.create("pod1", scene.bundle);
    await scene.sandboxes.start("pod1");
    await task(scene, diagClient(scene.shim));
  }, options);
}

/** Asserts that a call is refused before, between and after the life of the VM. */
async function needsVm(
  call: (diag: DiagClient) => Promise<unknown>,
): Promise<void> {
  await withTasks(async (scene) => {
    const diag = diagClient(scene.shim);
    const refused = (state: string): Promise<void> =>
      refuses(
        call(diag),
        "FailedPrecondition",
        `vm is not running (state: ${state})`,
      );
    await refused("NotCreated");
    await scene.sandboxes.create("pod1", scene.bundle);
    await refused("Created");
    await scene.sandboxes.start("pod1");
    await scene.sandboxes.stop("pod1");
    await refused("Terminated");
  });
}

/** Requests to the VM about shares. */
function shareRequests({ vm }: TaskScene): unknown[] {
  return vm.modified.map((request) => {
    const { RequestType, Settings } = request as {
      RequestType: string;
      Settings: Record<string, unknown>;
    };
    const { Path, Flags, AllowedFiles } = Settings;
    return [RequestType, Path, Flags, AllowedFiles];
  });
}

Deno.test("host:C1 DiagPid answers the id of this process", async () => {
  await withTasks(async ({ shim }) => {
    assertEquals(await diagClient(shim).call("DiagPid", {}), { pid: Deno.pid });
  });
});

Deno.test("host:C2 DiagExecInHost answers the exit code of what it ran", async () => {
  await withVm(async (scene, diag) => {
    for (const code of [0, 8]) {
      const count = scene.guest.processes.length;
      const answer = diag.call("DiagExecInHost", {
        args: ["/bin/sh", "-c", `exit ${code}`],
        workdir: "/tmp",
      });
      await scene.until(() => scene.guest.processes.length > count);
      await scene.lastProcess.exit(code);
      assertEquals(await answer, { exitCode: code });
      assertEquals(scene.lastProcess.closed, true);
    }
    const { containerId, argument } = scene.guest.callsOf("execute")[0]!;
    assertEquals(containerId, nullGuid);
    assertEquals(argument, {
      parameters: {
        CommandArgs: ["/bin/sh", "-c", "exit 0"],
        WorkingDirectory: "/tmp",
        Environment: {
          PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        },
        EmulateConsole: false,
      },
      stdio: { stdin: false, stdout: false, stderr: false },
    });
  });
});

Deno.test("host:C3 DiagExecInHost fails with what the guest answered", async () => {
  await withVm(async (scene, diag) => {
    scene.guest.failNext("execute", injected);
    await refuses(
      diag.call("DiagExecInHost", { args: ["/bin/true"], stdout: "out" }),
      "Internal",
      "failed to exec into host: injected",
    );
    const out = scene.platform.streams.get("out")!;
    assertEquals(await out.read(new Uint8Array(1)), null);
  });
});

Deno.test("host:C4 DiagTasks is refused while the VM does not run", async () => {
  await needsVm((diag) => diag.call("DiagTasks", {}));
});

Deno.test("host:C5 DiagTasks answers an empty list without pods", async () => {
  await withVm(async (_scene, diag) => {
    assertEquals(await diag.call("DiagTasks", { execs: true }), { tasks: [] });
  });
});

Deno.test("host:C6 DiagShare is refused while the VM does not run", async () => {
  await needsVm((diag) => diag.call("DiagShare", { hostPath: "/data" }));
});

Deno.test("host:C7 DiagShare fails when the path of the host is missing", async () => {
  await withVm(async (scene, diag) => {
    scene.files.stat = () =>
      Promise.reject(new ShimError("NotFound", "it is not there"));
    await refuses(
      diag.call("DiagShare", { hostPath: "/none" }),
      "NotFound",
      'failed to open source path "/none": it is not there',
    );
    assertEquals(scene.vm.modified, []);
  });
});

Deno.test("host:C8 DiagStacks is refused while the VM does not run", async () => {
  await needsVm((diag) => diag.call("DiagStacks", {}));
});

Deno.test("host:C9 DiagStacks fails with what the guest answered", async () => {
  await withVm(async (scene, diag) => {
    scene.guest.failNext("dumpStacks", injected);
    await refuses(diag.call("DiagStacks", {}), "Internal", "injected");
  });
});

Deno.test("host:C10 DiagStacks answers the stacks of the guest", async () => {
  await withVm(async (scene, diag) => {
    scene.guest.stacks = "goroutine 1 [running]:\n";
    const { guestStacks, stacks } = await diag.call("DiagStacks", {});
    assertEquals(guestStacks, "goroutine 1 [running]:\n");
    assertMatch(stacks, new RegExp(`^shim: pid ${Deno.pid}\n`));
  });
});

Deno.test("DiagStacks gives a guest that does not answer 5 s", async () => {
  await withVm(async (scene, diag) => {
    const release = scene.guest.holdNext("dumpStacks");
    const answer = refusesLate(diag.call("DiagStacks", {}));
    await scene.clock.advance(5000);
    assertEquals(await answer, "TimeoutError");
    release();
  });
});

/** The name of the error that a call fails with. */
function refusesLate(call: Promise<unknown>): Promise<string> {
  return call.then(() => "", (error) => error.name);
}

Deno.test("DiagStacks tells sandboxes, tasks, processes and calls with their ages", async () => {
  await withTasks(async (scene) => {
    const { tasks, shim } = scene;
    await scene.runPod("pod1", "web");
    await tasks.call("Exec", { id: "web", execId: "e", spec: processSpec });
    const call = new FakeCall("containerd.task.v3.Task", "Wait");
    const waited = tasks.call("Wait", { id: "web" }, call).catch(() => {});
    const since = scene.clock.now();
    scene.guest.pending = [
      { rpc: "WaitForProcess", containerId: "web", since },
      { rpc: "ModifySettings", containerId: nullGuid, since: since + 500 },
    ];
    await scene.clock.advance(1500);
    const stacks = async (): Promise<string[]> =>
      (await diagClient(shim).call("DiagStacks", {})).stacks.split("\n");
    const [, sandbox, ...rest] = await stacks();
    assertMatch(sandbox!, /^sandbox "pod1": VM Running for .* s, pods 1$/);
    assertEquals(rest, [
      '  guest call WaitForProcess of "web": for 1.500 s',
      "  guest call ModifySettings of the VM: for 1.000 s",
      'task "pod1" of pod "pod1": Running, init pid 101 RUNNING',
      'task "web" of pod "pod1": Running, init pid 102 RUNNING',
      '  exec "e": pid 0 CREATED',
      'call containerd.task.v3.Task/Wait "web": for 1.500 s',
      "call containerd.runhcs.v1.diag.ShimDiag/DiagStacks: for 0.000 s",
      "",
    ]);
    call.disconnect();
    await waited;
    assertEquals(
      (await stacks()).filter((line) => line.includes("Task/Wait")),
      [],
    );
  });
});

Deno.test("DiagStacks cuts off what would not fit into a message", async () => {
  await withVm(async (scene, diag) => {
    const containerId = "x".repeat(1024);
    const call = { rpc: "Create", containerId, since: 0 };
    scene.guest.pending = Array(4096).fill(call);
    const { stacks } = await diag.call("DiagStacks", {});
    assertMatch(stacks, /\n\(cut off: \d+ characters\)\n$/);
    assert(stacks.length < limits.stacks + 100);
  });
});

Deno.test("DiagTasks lists tasks, and their execs on demand", async () => {
  await withTasks(async (scene) => {
    const { tasks, shim } = scene;
    await scene.runPod("pod1", "web");
    await tasks.call("Exec", { id: "web", execId: "e", spec: processSpec });
    const diag = diagClient(shim);
    assertEquals(await diag.call("DiagTasks", { execs: true }), {
      tasks: [
        { id: "pod1", execs: [] },
        { id: "web", execs: [{ id: "e", state: "CREATED" }] },
      ],
    });
    assertEquals(await diag.call("DiagTasks", {}), {
      tasks: [{ id: "pod1", execs: [] }, { id: "web", execs: [] }],
    });
  });
});

Deno.test("DiagExecInHost relays the streams of its client", async () => {
  await withVm(async (scene, diag) => {
    const answer = diag.call("DiagExecInHost", {
      args: ["/bin/cat"],
      stdin: "in",
      stdout: "out",
      stderr: "err",
    });
    await scene.until(() => scene.guest.processes.length > 0);
    const { streams } = scene.platform;
    await streams.get("in")!.write(new TextEncoder().encode("typed"));
    await streams.get("in")!.closeWrite();
    assertEquals(await scene.lastProcess.readInput(), "typed");
    for (const [name, text] of [["out", "said"], ["err", "oops"]] as const) {
      await scene.lastProcess.print(text, name === "out" ? "stdout" : "stderr");
      const bytes = new Uint8Array(4);
      await readFull(streams.get(name)!, bytes);
      assertEquals(new TextDecoder().decode(bytes), text);
    }
    await scene.lastProcess.exit(0);
    assertEquals(await answer, { exitCode: 0 });
  });
});

Deno.test("DiagExecInHost refuses a terminal with a path for errors, and nothing to run", async () => {
  await withVm(async (scene, diag) => {
    await refuses(
      diag.call("DiagExecInHost", {
        args: ["sh"],
        terminal: true,
        stderr: "err",
      }),
      "FailedPrecondition",
      "failed to exec into host: ",
    );
    await refuses(
      diag.call("DiagExecInHost", {}),
      "InvalidArgument",
      "failed to exec into host: ",
    );
    assertEquals(scene.guest.processes, []);
  });
});

Deno.test("DiagExecInHost is refused while the VM does not run", async () => {
  await needsVm((diag) => diag.call("DiagExecInHost", { args: ["sh"] }));
});

Deno.test("DiagExecInHost kills the process when its client goes away", async () => {
  await withVm(async (scene, diag) => {
    const call = new FakeCall();
    const request = { args: ["/bin/cat"], stdin: "in", stdout: "out" };
    const answer = refuses(
      diag.call("DiagExecInHost", request, call),
      "Canceled",
    );
    await scene.until(() => scene.guest.processes.length > 0);
    call.disconnect();
    await answer;
    const [signal] = scene.guest.callsOf("signal");
    assertEquals(signal?.argument, { pid: 101, signal: 9 });
    const out = scene.platform.streams.get("out")!;
    assertEquals(await out.read(new Uint8Array(1)), null);
    assertEquals(scene.shim.calls.underWay, []);
  }, { guest: { exitOnKill: true } });
});

Deno.test("DiagExecInHost kills a process that starts when its client is gone", async () => {
  await withVm(async (scene, diag) => {
    const call = new FakeCall();
    const release = scene.guest.holdNext("execute");
    const answer = refuses(
      diag.call("DiagExecInHost", { args: ["sleep"] }, call),
      "Canceled",
    );
    await scene.until(() => scene.guest.callsOf("execute").length > 0);
    call.disconnect();
    release();
    await answer;
    assertEquals(scene.guest.callsOf("signal").length, 1);
    assertEquals(scene.lastProcess.closed, true);
  }, { guest: { exitOnKill: true } });
});

Deno.test("DiagExecInHost is Unavailable when the VM is lost meanwhile", async () => {
  await withVm(async (scene, diag) => {
    const answer = refuses(
      diag.call("DiagExecInHost", { args: ["sleep"] }),
      "Unavailable",
      "failed to exec into host: ",
    );
    await scene.until(() => scene.guest.processes.length > 0);
    scene.vm.die(injected);
    await answer;
  });
});

Deno.test("DiagShare shares a directory, or a file alone in its directory", async () => {
  await withVm(async (scene, diag) => {
    scene.files.stat = (path) =>
      Promise.resolve(path.endsWith(".ini") ? "file" : "directory");
    await diag.call("DiagShare", { hostPath: "/data", uvmPath: "/x" });
    await diag.call("DiagShare", { hostPath: "/conf/a.ini", readOnly: true });
    assertEquals(shareRequests(scene), [
      ["Add", "/data", 0x4, undefined],
      ["Add", "/conf/", 0x85, ["a.ini"]],
    ]);
    assertEquals(scene.guest.callsOf("modify").length, 2);
  });
});

Deno.test("DiagShare leaves nothing when it fails, or its client goes away", async () => {
  await withVm(async (scene, diag) => {
    scene.guest.failNext("modify", injected);
    const request = { hostPath: "/data" };
    await refuses(diag.call("DiagShare", request), "Internal", "injected");
    const call = new FakeCall();
    const release = scene.guest.holdNext("modify");
    const answer = refusesLate(diag.call("DiagShare", request, call));
    await scene.until(() => scene.guest.callsOf("modify").length > 1);
    call.disconnect();
    release();
    assertEquals(await answer, "AbortError");
    assertEquals(scene.vm.plan9().shares, []);
    assertEquals(scene.vm.plan9().reservations, 0);
  });
});
