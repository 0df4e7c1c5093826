import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { nullGuid } from "../../base/guid.ts";
import { SpanTracer } from "../../base/spans.ts";
import {
  type DescribeResponse,
  Operator,
} from "../../ttrpc/api/operator.gen.ts";
import { FakeCall } from "../fake_shim.ts";
import type { Shim } from "../shim.ts";
import { timestamp } from "../timestamp.ts";
import { ServiceClient } from "./fake_client.ts";
import { operatorHandlers } from "./operator.ts";
import { processSpec, refuses, withTasks } from "./task_scene.ts";

function operator(shim: Shim): ServiceClient<typeof Operator> {
  const identity = { namespace: "n", key: "pod1" };
  const handlers = operatorHandlers(shim, identity);
  return new ServiceClient(Operator, shim.calls.watch(handlers));
}

function describe(shim: Shim): Promise<DescribeResponse> {
  return operator(shim).call("Describe", {});
}

Deno.test("Describe answers before there is a sandbox", async () => {
  await withTasks(async ({ shim }) => {
    const { namespace, key, pid, apiLevel, sandboxes, tasks } = await describe(
      shim,
    );
    assertEquals(
      { namespace, key, pid, apiLevel, sandboxes, tasks },
      {
        namespace: "n",
        key: "pod1",
        pid: Deno.pid,
        apiLevel: 4,
        sandboxes: [],
        tasks: [],
      },
    );
  });
});

Deno.test("Describe tells the VM's states, also behind its end", async () => {
  await withTasks(async (scene) => {
    const vm = async (): Promise<unknown[]> => {
      const [sandbox] = (await describe(scene.shim)).sandboxes;
      const { vmState, runtimeId, startedAt, endedAt, implicit } = sandbox!;
      const times = [startedAt, endedAt].map((time) => time !== undefined);
      return [vmState, runtimeId, ...times, implicit];
    };
    await scene.sandboxes.create("pod1", scene.bundle);
    const { runtimeId } = scene.vm;
    assertEquals(await vm(), ["Created", runtimeId, false, false, false]);
    await scene.sandboxes.start("pod1");
    assertEquals(await vm(), ["Running", runtimeId, true, false, false]);
    await scene.sandboxes.stop("pod1");
    assertEquals(await vm(), ["Terminated", runtimeId, true, true, false]);
  });
});

Deno.test("Describe tells calls of clients and to the guest that are not answered", async () => {
  await withTasks(async (scene) => {
    await scene.run("pod1");
    const since = scene.clock.now();
    scene.guest.pending = [{ rpc: "Create", containerId: nullGuid, since }];
    const call = new FakeCall("containerd.task.v3.Task", "Wait");
    const waited = scene.tasks.call("Wait", { id: "pod1" }, call)
      .catch(() => {});
    const { calls, sandboxes } = await describe(scene.shim);
    assertEquals(sandboxes[0]?.guestCalls, [
      { rpc: "Create", containerId: nullGuid, since: timestamp(since) },
    ]);
    assertEquals(calls[0], {
      service: "containerd.task.v3.Task",
      method: "Wait",
      ids: ["pod1"],
      since: timestamp(since),
      hasClient: true,
    });
    call.disconnect();
    await waited;
  });
});

Deno.test("Describe answers while a task is being created", async () => {
  await withTasks(async (scene) => {
    await scene.runPod("pod1");
    const release = scene.guest.holdNext("createContainer");
    const creating = scene.create("web");
    await scene.until(() =>
      scene.guest.callsOf("createContainer").length === 2
    );
    const [, task] = (await describe(scene.shim)).tasks;
    assertEquals([task?.id, task?.pod, task?.state, task?.init], [
      "web",
      "pod1",
      "Creating",
      undefined,
    ]);
    release();
    await creating;
  });
});

Deno.test("Describe tells exit code and time of a process that ended", async () => {
  await withTasks(async (scene) => {
    await scene.run("pod1");
    await scene.tasks.call("Exec", {
      id: "pod1",
      execId: "probe",
      spec: processSpec,
    });
    await scene.tasks.call("Start", { id: "pod1", execId: "probe" });
    await scene.lastProcess.exit(3);
    await scene.tasks.call("Wait", { id: "pod1", execId: "probe" });
    const [task] = (await describe(scene.shim)).tasks;
    assertEquals(task?.execs, [{
      id: "probe",
      pid: 102,
      status: "STOPPED",
      exitCode: 3,
      exitedAt: timestamp(scene.clock.now()),
    }]);
  });
});

Deno.test("Share answers the path in the guest, and is refused without a VM", async () => {
  await withTasks(async (scene) => {
    const request = { hostPath: "/data", readOnly: true };
    const share = () => operator(scene.shim).call("Share", request);
    await refuses(share(), "FailedPrecondition", "vm is not running");
    await scene.run("pod1");
    const { guestPath } = await share();
    assertEquals(guestPath.startsWith("/run/"), true, guestPath);
  });
});

Deno.test("Stacks tells what the shim waits for while a VM boots", async () => {
  const time = { now: (): number => 0, elapsed: () => 0 };
  const tracer = new SpanTracer({ time });
  await withTasks(async (scene) => {
    const { shim, clock, bundle } = scene;
    time.now = () => clock.now();
    const stacks = () => operator(shim).call("Stacks", {});
    await scene.sandboxes.create("pod1", bundle);
    const release = scene.vm.holdNext("start");
    const uvm = { "uvm-id": "pod1@vm" };
    const starting = tracer.span(
      "vm",
      "handshake",
      uvm,
      () =>
        tracer.span(
          "bridge",
          "NegotiateProtocol",
          {},
          () =>
            tracer.span(
              "hcs",
              "modify",
              { ...uvm, "request-type": "Add" },
              () => scene.sandboxes.start("pod1"),
            ),
        ),
    );
    await scene.until(() => scene.vm.calls.includes("start"));
    await clock.advance(1500);
    const { shim: told, guest, guestProblem } = await stacks();
    assertEquals(told.split("\n").slice(1), [
      'sandbox "pod1": VM Created, pods 0',
      "  guest call NegotiateProtocol of the VM: for 1.500 s",
      'vm handshake uvm-id="pod1@vm": for 1.500 s',
      'hcs modify uvm-id="pod1@vm" request-type="Add": for 1.500 s',
      'call containerd.runtime.sandbox.v1.Sandbox/StartSandbox "pod1": for 1.500 s',
      "call lcow.operator.v1.Operator/Stacks: for 0.000 s",
      "",
    ]);
    assertEquals(guest, "");
    assertEquals(guestProblem, "vm is not running (state: Created)");
    const [sandbox] = (await describe(shim)).sandboxes;
    assertEquals(sandbox?.guestCalls.map(({ rpc }) => rpc), [
      "NegotiateProtocol",
    ]);
    release();
    await starting;
  }, { tracer });
});

Deno.test("Stacks tells what shim and guest do, and since when a VM has ended", async () => {
  await withTasks(async (scene) => {
    const stacks = () => operator(scene.shim).call("Stacks", {});
    await scene.run("pod1");
    scene.guest.stacks = "all is quiet\n";
    const { shim, guest, guestProblem } = await stacks();
    assertStringIncludes(shim, '\ntask "pod1"');
    assertEquals([guest, guestProblem], ["all is quiet\n", ""]);
    await scene.sandboxes.stop("pod1");
    const ended = await stacks();
    assertMatch(
      ended.shim,
      /^sandbox "pod1": VM Terminated for .* s, pods 1$/m,
    );
    assertEquals(ended.guestProblem, "vm is not running (state: Terminated)");
  });
});
