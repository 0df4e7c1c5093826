import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import type { FakeCall as FakeCallOfGuest } from "../../bridge/fake_guest.ts";
import type { FakeGuestProcess } from "../../bridge/fake_guest_process.ts";
import { TaskStatus } from "../../ttrpc/api/task_types.gen.ts";
import { FakeCall } from "../fake_shim.ts";
import {
  processSpec,
  refuses,
  type TaskScene,
  withTasks,
} from "./task_scene.ts";

Deno.test("a standalone container boots its VM, runs, ends and is deleted", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    const pid = await scene.run("web");
    assertEquals(scene.vm.calls, ["create", "start"]);
    assertEquals(scene.vm.created?.id, "web@vm");
    const running = await tasks.call("State", { id: "web" });
    assertEquals(
      [running.pid, running.status, running.exitStatus, running.bundle],
      [pid, TaskStatus.RUNNING, 255, scene.bundle],
    );
    const waited = tasks.call("Wait", { id: "web" });
    await scene.lastProcess.exit(3);
    assertEquals((await waited).exitStatus, 3);
    const stopped = await tasks.call("State", { id: "web" });
    assertEquals(
      [stopped.status, stopped.exitStatus],
      [TaskStatus.STOPPED, 3],
    );
    const deleted = await tasks.call("Delete", { id: "web" });
    assertEquals([deleted.pid, deleted.exitStatus], [pid, 3]);
    assert(deleted.exitedAt !== undefined);
    await refuses(tasks.call("State", { id: "web" }), "NotFound", "web");
    assertEquals(scene.topics, [
      "/tasks/create",
      "/tasks/start",
      "/tasks/exit",
      "/tasks/delete",
    ]);
  });
});

Deno.test("host:D24 events of init carry the container's id and the pid", async () => {
  await withTasks(async (scene) => {
    const pid = await scene.run("web");
    await scene.lastProcess.exit(0);
    await scene.tasks.call("Delete", { id: "web" });
    const [, start, exit, deleted] = scene.events.map(({ event }) => event);
    assertEquals(start, { containerId: "web", pid });
    const { id, exitStatus } = exit as Record<string, unknown>;
    assertEquals([id, exitStatus], ["web", 0]);
    assertEquals((deleted as Record<string, unknown>)["id"], "web");
  });
});

/** Want of memory has ended so many processes of a container. */
function killed({ guest }: TaskScene, oom_kill: bigint): void {
  const LCOWMetrics = { memory_oom_control: { oom_kill } };
  guest.propertiesOf.set("web", { LCOWMetrics });
}

/** Starts a process beside init. */
async function startExec(
  scene: TaskScene,
  execId: string,
): Promise<FakeGuestProcess> {
  const ids = { id: "web", execId };
  await scene.tasks.call("Exec", { ...ids, spec: processSpec });
  await scene.tasks.call("Start", ids);
  return scene.lastProcess;
}

/** Topics of exits and of want of memory. */
function endsTold({ topics }: TaskScene): string[] {
  return topics.filter((topic) => /oom|exit$/.test(topic));
}

Deno.test("want of memory is told before the exit, once per kill, and not for what a client killed", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    const exec = async (execId: string): Promise<void> => {
      const ids = { id: "web", execId };
      await (await startExec(scene, execId)).exit(137);
      await tasks.call("Wait", ids);
      await tasks.call("Delete", ids);
    };
    await scene.run("web");
    const init = scene.lastProcess;
    killed(scene, 1n);
    await exec("hungry");
    await exec("victim"); // of somebody in the VM
    killed(scene, 2n);
    await tasks.call("Kill", { id: "web", signal: 9 });
    await init.exit(137);
    await tasks.call("Delete", { id: "web" });
    assertEquals(endsTold(scene), [
      "/tasks/oom",
      "/tasks/exit",
      "/tasks/exit",
      "/tasks/exit",
    ]);
    assertEquals(
      scene.events.find(({ topic }) => topic === "/tasks/oom")?.event,
      { containerId: "web" },
    );
  });
});

Deno.test("of two processes that want of memory kills at once, both are told, though the guest is slow to say so", async () => {
  const asked: (() => void)[] = [];
  const beforeCall = ({ call }: FakeCallOfGuest): Promise<void> => {
    if (call === "properties") asked.shift()?.();
    return Promise.resolve();
  };
  await withTasks(async (scene) => {
    await scene.run("web");
    const processes = [
      await startExec(scene, "a"),
      await startExec(scene, "b"),
    ];
    asked.push(() => killed(scene, 1n), () => killed(scene, 2n));
    const release = scene.guest.holdNext("properties");
    for (const process of processes) await process.exit(137);
    await scene.clock.advance(0);
    assertEquals(endsTold(scene), []);
    release();
    await scene.until(() => endsTold(scene).length === 4);
    assertEquals(
      endsTold(scene),
      ["/tasks/oom", "/tasks/exit", "/tasks/oom", "/tasks/exit"],
    );
  }, { guest: { beforeCall } });
});

Deno.test("want of memory is told once, also when the guest could not say anything meanwhile", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    killed(scene, 1n);
    await (await startExec(scene, "a")).exit(137);
    await scene.until(() => endsTold(scene).length === 2);
    scene.guest.failNext("properties", new ShimError("Internal", "busy"));
    for (const execId of ["b", "c"]) {
      await (await startExec(scene, execId)).exit(137);
    }
    await scene.until(() => endsTold(scene).length >= 4);
    assertEquals(endsTold(scene).slice(1), Array(3).fill("/tasks/exit"));
  });
});

Deno.test("a container is not deleted before it is known whether memory was the reason", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    const { guest } = scene;
    killed(scene, 1n);
    const release = guest.holdNext("properties");
    await scene.lastProcess.exit(137);
    await scene.tasks.call("Wait", { id: "web" });
    const deleted = scene.tasks.call("Delete", { id: "web" });
    for (let turn = 0; turn < 50; turn++) await scene.clock.advance(0);
    assertEquals(guest.callsOf("deleteContainerState"), []);
    release();
    await deleted;
    assertEquals(scene.topics.slice(2), [
      "/tasks/oom",
      "/tasks/exit",
      "/tasks/delete",
    ]);
  });
});

Deno.test("a guest that cannot say whether memory was the reason keeps no exit back", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    scene.guest.failNext("properties", new ShimError("Unavailable", "busy"));
    await scene.lastProcess.exit(137);
    await scene.until(() => scene.topics.length === 3);
    assertEquals(scene.topics.at(-1), "/tasks/exit");

    await scene.tasks.call("Delete", { id: "web" });
    await scene.run("slow");
    const release = scene.guest.holdNext("properties");
    await scene.lastProcess.exit(137);
    await scene.until(() => scene.guest.callsOf("properties").length === 2);
    await scene.clock.advance(defaultTimeouts.memoryEvents);
    await scene.until(() => scene.topics.length === 7);
    assertEquals(scene.topics.at(-1), "/tasks/exit");
    release();
  });
});

Deno.test("TaskExit follows TaskStart although the process ends before Start is answered", async () => {
  await withTasks(async (scene) => {
    await scene.create("web");
    const { guest } = scene;
    const release = guest.holdNext("start");
    const started = scene.tasks.call("Start", { id: "web" });
    await scene.until(() => guest.callsOf("start").length === 1);
    const exited = scene.until(() => guest.processes.length === 1)
      .then(() => scene.lastProcess.exit(7));
    release();
    await started;
    await exited;
    await scene.tasks.call("Wait", { id: "web" });
    await scene.until(() => scene.topics.length === 3);
    assertEquals(scene.topics, [
      "/tasks/create",
      "/tasks/start",
      "/tasks/exit",
    ]);
  });
});

Deno.test("State and Connect answer while a slow create is under way, Wait waits for the process", async () => {
  await withTasks(async (scene) => {
    scene.onVm = (vm) => void vm.holdNext("create");
    const call = new FakeCall();
    const created = scene.create("web", {}, call);
    created.catch(() => {});
    await scene.until(() => scene.vms.length === 1);
    const state = await scene.tasks.call("State", { id: "web" });
    assertEquals([state.status, state.pid], [TaskStatus.UNKNOWN, 0]);
    const { shimPid } = await scene.tasks.call("Connect", { id: "web" });
    assertEquals(shimPid, Deno.pid);
    const waited = scene.tasks.call("Wait", { id: "web" });
    await refuses(
      scene.tasks.call("Kill", { id: "web", signal: 9 }),
      "FailedPrecondition",
      "Creating",
    );
    call.disconnect();
    await assertRejects(() => created, DOMException);
    await refuses(waited, "NotFound");
  });
});

Deno.test("a second Start is refused and does not hide the exit", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    await refuses(
      scene.tasks.call("Start", { id: "web" }),
      "FailedPrecondition",
      "Running",
    );
    await scene.lastProcess.exit(0);
    await scene.until(() => scene.topics.includes("/tasks/exit"));
  });
});

Deno.test("a failed Start is told to its caller alone, and the container can be deleted", async () => {
  await withTasks(async (scene) => {
    await scene.create("web");
    scene.guest.failNext("execute", new ShimError("NotFound", "no such file"));
    await refuses(
      scene.tasks.call("Start", { id: "web" }),
      "NotFound",
      "no such file",
    );
    await scene.tasks.call("Delete", { id: "web" });
    assertEquals(scene.topics, ["/tasks/create", "/tasks/delete"]);
  });
});

Deno.test("host:D21 two Deletes of one container: one gets the status, the other NotFound", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    await scene.lastProcess.exit(4);
    const [one, two] = await Promise.allSettled([
      scene.tasks.call("Delete", { id: "web" }),
      scene.tasks.call("Delete", { id: "web" }),
    ]);
    assert(one.status === "fulfilled" && two.status === "rejected");
    assertEquals(one.value.exitStatus, 4);
    assertEquals((two.reason as ShimError).code, "NotFound");
    const deletes = scene.topics.filter((topic) => topic === "/tasks/delete");
    assertEquals(deletes.length, 1);
  });
});

Deno.test("a failed Delete can be repeated", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    await scene.lastProcess.exit(0);
    await scene.tasks.call("Wait", { id: "web" });
    scene.guest.failNext(
      "deleteContainerState",
      new ShimError("Internal", "busy"),
    );
    await refuses(
      scene.tasks.call("Delete", { id: "web" }),
      "Internal",
      "busy",
    );
    await scene.tasks.call("Delete", { id: "web" });
    assertEquals(scene.topics.at(-1), "/tasks/delete");
  });
});
