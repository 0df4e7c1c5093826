import { assertEquals } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { defaultTimeouts, limits } from "../../base/timeouts.ts";
import type { ContainerDocument } from "../../bridge/messages.gen.ts";
import { Spec } from "../../oci/spec.gen.ts";
import { CreateTaskRequest } from "../../ttrpc/api/task.gen.ts";
import { TaskStatus } from "../../ttrpc/api/task_types.gen.ts";
import { FakeCall } from "../fake_shim.ts";
import { noOptions } from "../options.ts";
import { criSpec, refuses, spec, withTasks } from "./task_scene.ts";

Deno.test("a CRI sandbox container boots the VM, its workloads join it", async () => {
  await withTasks(async (scene) => {
    await scene.runPod("pod1", "a", "b");
    assertEquals(scene.vms.length, 1);
    assertEquals(scene.vm.created?.id, "pod1@vm");
    assertEquals(
      scene.guest.callsOf("createContainer").map(({ containerId }) =>
        containerId
      ),
      ["pod1", "a", "b"],
    );
  });
});

Deno.test("a workload without its sandbox is refused with NotFound, with or without a VM", async () => {
  await withTasks(async (scene) => {
    await scene.writeSpec(criSpec("container", "pod1"));
    await refuses(scene.create("a"), "NotFound", "pod1");
    assertEquals(scene.vms.length, 0);
    await scene.sandboxes.create("pod2", scene.bundle);
    await scene.sandboxes.start("pod2");
    await refuses(scene.create("a"), "NotFound", "pod1");
  });
});

Deno.test("two pods share one VM, ids are unique over both", async () => {
  await withTasks(async (scene) => {
    await scene.runPod("pod1", "a");
    await scene.writeSpec(criSpec("sandbox", "pod2"));
    await scene.run("pod2");
    await refuses(scene.create("pod2"), "AlreadyExists", "pod2");
    await scene.writeSpec(criSpec("container", "pod2"));
    await refuses(scene.create("a"), "AlreadyExists", '"a"');
    assertEquals(scene.guest.callsOf("deleteContainerState"), []);
  });
});

Deno.test("containers of an explicit sandbox need no annotations", async () => {
  await withTasks(async (scene) => {
    await scene.sandboxes.create("pod1", scene.bundle);
    await refuses(
      scene.create("web"),
      "FailedPrecondition",
      "vm is not running",
    );
    await scene.sandboxes.start("pod1");
    await scene.run("web");
    assertEquals(scene.vms.length, 1);
  });
});

Deno.test("containers of CRI's shim sandboxer need no sandbox container, and stand alone in the VM", async () => {
  await withTasks(async (scene) => {
    await scene.sandboxes.create("pod1", scene.bundle);
    await scene.sandboxes.start("pod1");
    await scene.writeSpec(criSpec("container", "pod1"));
    await scene.run("a");
    await scene.run("b");
    const sent = scene.guest.callsOf("createContainer");
    assertEquals(sent.map(({ containerId }) => containerId), ["a", "b"]);
    for (const { argument } of sent) {
      const { OciSpecification } = argument as ContainerDocument;
      const { annotations, linux } = Spec.decode(OciSpecification);
      assertEquals(annotations?.["io.kubernetes.cri.sandbox-id"], undefined);
      assertEquals(linux?.namespaces?.map(({ type }) => type), [
        "ipc",
        "pid",
        "uts",
      ]);
    }
    await scene.guest.processes[0]!.exit(0);
    await scene.tasks.call("Delete", { id: "a" });
    const { status } = await scene.tasks.call("State", { id: "b" });
    assertEquals(status, TaskStatus.RUNNING);
    assertEquals((await scene.sandboxes.status("pod1")).state, "SANDBOX_READY");
  });
});

Deno.test("Create refuses endpoints in the specification", async () => {
  await withTasks(async (scene) => {
    await scene.writeSpec(
      spec({ windows: { network: { endpointList: ["e"] } } }),
    );
    await refuses(
      scene.create("web"),
      "InvalidArgument",
      "endpoints should not be part of spec",
    );
  });
});

Deno.test("the sandbox container is deleted last while its VM runs", async () => {
  await withTasks(async (scene) => {
    await scene.runPod("pod1", "a");
    for (const process of scene.guest.processes) await process.exit(0);
    await refuses(
      scene.tasks.call("Delete", { id: "pod1" }),
      "FailedPrecondition",
      "1 containers",
    );
    await scene.tasks.call("Delete", { id: "a" });
    await scene.tasks.call("Delete", { id: "pod1" });
    assertEquals(scene.shim.tasks.size, 0);
  });
});

Deno.test("a workload is refused while the sandbox container of its pod is being deleted", async () => {
  await withTasks(async (scene) => {
    const { tasks, shim } = scene;
    await scene.runPod("pod1");
    const { guest } = scene;
    await scene.lastProcess.exit(0);
    guest.failNext("deleteContainerState", new ShimError("Internal", "no"));
    await refuses(tasks.call("Delete", { id: "pod1" }), "Internal");
    await scene.run("a"); // the sandbox container is still there
    await scene.lastProcess.exit(0);
    await tasks.call("Delete", { id: "a" });
    const release = guest.holdNext("deleteContainerState");
    const deleted = tasks.call("Delete", { id: "pod1" });
    await scene.until(() => guest.callsOf("deleteContainerState").length === 3);
    await refuses(scene.create("late"), "FailedPrecondition", "being deleted");
    release();
    await deleted;
    assertEquals(shim.tasks.size, 0);
  });
});

Deno.test("peer:sandbox-first the sandbox container can be deleted before its members when the VM is gone", async () => {
  await withTasks(async (scene) => {
    await scene.runPod("pod1", "a");
    scene.vm.die();
    await scene.tasks.call("Wait", { id: "a" });
    await scene.tasks.call("Delete", { id: "pod1" });
    await scene.tasks.call("Delete", { id: "a" });
  });
});

Deno.test("Kill with all on the sandbox container reaches every container of the pod", async () => {
  await withTasks(async (scene) => {
    await scene.runPod("pod1", "a", "b");
    await scene.tasks.call("Kill", { id: "pod1", signal: 9, all: true });
    const waits = ["pod1", "a", "b"].map((id) =>
      scene.tasks.call("Wait", { id })
    );
    const codes = (await Promise.all(waits)).map(({ exitStatus }) =>
      exitStatus
    );
    assertEquals(codes, [137, 137, 137]);
  }, { guest: { exitOnKill: true } });
});

Deno.test("Kill with all on a workload leaves the rest of its pod alone", async () => {
  await withTasks(async (scene) => {
    await scene.runPod("pod1", "a", "b");
    await scene.tasks.call("Kill", { id: "a", signal: 9, all: true });
    const { exitStatus } = await scene.tasks.call("Wait", { id: "a" });
    assertEquals(exitStatus, 137);
    assertEquals(
      scene.guest.callsOf("signal").map(({ containerId }) => containerId),
      ["a"],
    );
    for (const id of ["pod1", "b"]) {
      const { status } = await scene.tasks.call("State", { id });
      assertEquals(status, TaskStatus.RUNNING, id);
    }
  }, { guest: { exitOnKill: true } });
});

Deno.test("a workload that cannot be created leaves its pod running", async () => {
  await withTasks(async (scene) => {
    await scene.runPod("pod1", "a");
    const broken = new ShimError("Internal", "no room");
    scene.guest.failNext("createContainer", broken);
    await refuses(scene.create("b"), "Internal", "no room");
    assertEquals(scene.vm.state, "Running");
    assertEquals([...scene.shim.tasks.keys()], ["pod1", "a"]);
  });
});

Deno.test("a pod takes workloads after one of its own was deleted", async () => {
  await withTasks(async (scene) => {
    await scene.runPod("pod1", "a");
    await scene.lastProcess.exit(0);
    await scene.tasks.call("Delete", { id: "a" });
    await scene.run("b");
    await scene.run("a");
    assertEquals([...scene.shim.tasks.keys()], ["pod1", "b", "a"]);
  });
});

Deno.test("a shim takes as many containers as its guest, and no more", async () => {
  await withTasks(async (scene) => {
    const request = (id: string) =>
      CreateTaskRequest.decode(
        CreateTaskRequest.encode({ id }),
      );
    const tasks = Array.from(
      { length: limits.containers },
      (_, n) => scene.shim.addTask(request(`c${n}`)),
    );
    await refuses(scene.create("web"), "ResourceExhausted", "has 1024 already");
    for (const task of tasks) scene.shim.removeTask(task);
    await scene.create("web");
  });
});

Deno.test("the loss of the VM ends every wait and tells every exit once", async () => {
  await withTasks(async (scene) => {
    await scene.runPod("pod1", "a");
    await scene.create("never-started");
    const ids = ["pod1", "a", "never-started"];
    const waits = ids.map((id) => scene.tasks.call("Wait", { id }));
    scene.vm.die(new Error("the VM crashed"));
    for (const { exitStatus } of await Promise.all(waits)) {
      assertEquals(exitStatus, 255);
    }
    await scene.until(() =>
      scene.topics.filter((topic) => topic === "/tasks/exit").length === 3
    );
    const told = scene.events.filter(({ topic }) => topic === "/tasks/exit")
      .map(({ event }) => (event as { containerId: string }).containerId);
    assertEquals(told.toSorted(), ids.toSorted());
    for (const id of ids.toReversed()) {
      await scene.tasks.call("Delete", { id });
    }
  });
});

Deno.test("a VM that dies during Create fails it and leaves nothing", async () => {
  await withTasks(async (scene) => {
    scene.onVm = (vm) => void vm.guest.holdNext("createContainer");
    const created = scene.create("web");
    created.catch(() => {});
    await scene.until(() =>
      scene.vms[0]?.guest.callsOf("createContainer").length === 1
    );
    scene.vm.die();
    await refuses(created, "Unavailable");
    assertEquals([scene.shim.tasks.size, scene.shim.sandboxes.size], [0, 0]);
  });
});

Deno.test("a VM that dies while Create opens the client's streams fails it and leaves nothing", async () => {
  await withTasks(async (scene) => {
    const open = scene.platform.stdio.bind(scene.platform);
    scene.platform.stdio = async (url, name) => {
      scene.vm.die();
      await scene.until(() => scene.shim.sandbox?.vmState === "Terminated");
      return await open(url, name);
    };
    await refuses(
      scene.create("web", { stdout: "/out" }),
      "FailedPrecondition",
      "Terminated",
    );
    assertEquals([scene.shim.tasks.size, scene.shim.sandboxes.size], [0, 0]);
    assertEquals(scene.topics, []);
  });
});

Deno.test("the streams of a task are opened with the runtime options of its sandbox", async () => {
  const options = { ...noOptions(), ioRetryTimeoutInSec: 7 };
  await withTasks(async (scene) => {
    await scene.create("web", { stdout: "/out" });
    const opened = scene.platform.streamOptions.get("/out");
    assertEquals(opened?.reconnectLimit, 7000);
    await scene.tasks.call("Delete", { id: "web" });
  }, { options: Promise.resolve(options) });
});

Deno.test("a VM that dies right after its boot fails Create and leaves no sandbox", async () => {
  await withTasks(async (scene) => {
    scene.onVm = (vm) => {
      const start = vm.start.bind(vm);
      vm.start = async (signal) => {
        await start(signal);
        vm.die();
      };
    };
    await refuses(scene.create("web"), "FailedPrecondition", "Terminated");
    assertEquals([scene.shim.tasks.size, scene.shim.sandboxes.size], [0, 0]);
  });
});

Deno.test("an implicit VM whose last container is gone ends by itself", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    await scene.lastProcess.exit(0);
    await scene.tasks.call("Delete", { id: "web" });
    await scene.clock.advance(defaultTimeouts.implicitVmIdle - 1);
    assertEquals(scene.vm.state, "Running");
    await scene.clock.advance(1);
    await scene.shim.ended;
    assertEquals(scene.vm.state, "Terminated");
  });
});

Deno.test("Shutdown does nothing to a sandbox that CreateSandbox made", async () => {
  await withTasks(async (scene) => {
    await scene.sandboxes.create("pod1", scene.bundle);
    await scene.sandboxes.start("pod1");
    const call = new FakeCall();
    await scene.tasks.call("Shutdown", { id: "pod1", now: true }, call);
    const replied = call.replied();
    await scene.clock.advance(10 * defaultTimeouts.idle);
    await replied;
    assertEquals(scene.vm.state, "Running");
  });
});

Deno.test("the end of the shim tells the exits of its containers before it closes the events", async () => {
  await withTasks(async (scene) => {
    await scene.create("web", { stdout: "/out" });
    await scene.tasks.call("Start", { id: "web" });
    // Its output, which nothing ends, keeps its exit back.
    const ended = scene.shim.end("SIGTERM");
    await scene.clock.advance(0);
    assertEquals([scene.vm.state, scene.eventsClosed], ["Terminated", false]);
    await scene.clock.advance(2 * defaultTimeouts.drainGrace);
    await ended;
    assertEquals(scene.topics.at(-1), "/tasks/exit");
    assertEquals(scene.eventsClosed, true);
  });
});
