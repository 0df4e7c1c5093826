/**
 * What recordings of hcsshim show as faults of it (`peerDefects`), and what we do
 * instead. The ids `peer:…` are those of `tests/golden/peer_defects.ts`.
 */

import { assertEquals } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { TaskStatus } from "../../ttrpc/api/task_types.gen.ts";
import { asked, networked, remove, withNetwork } from "./network_scene.ts";
import { withSandbox } from "./sandbox_scene.ts";
import { criSpec, refuses, type TaskScene, withTasks } from "./task_scene.ts";

const injected = new ShimError("PermissionDenied", "injected");

/** Starts a sandbox with a pod in it. */
async function startPod(scene: TaskScene, pod: string): Promise<void> {
  await scene.sandboxes.create(pod, scene.bundle);
  await scene.sandboxes.start(pod);
  await scene.writeSpec(criSpec("sandbox", pod));
  await scene.run(pod);
  await scene.writeSpec(criSpec("container", pod));
}

const exitOnKill = { guest: { exitOnKill: true } };

Deno.test("peer:failed-create a container whose create failed in the guest is not there, and its id and pod are free", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    await startPod(scene, "pod1");
    scene.guest.failNext("createContainer", injected);
    await refuses(scene.create("bad"), "PermissionDenied", "injected");
    const before = scene.guest.calls.length;
    for (const method of ["State", "Start", "Kill", "Delete"] as const) {
      await refuses(tasks.call(method, { id: "bad" }), "NotFound", '"bad"');
    }
    assertEquals(scene.guest.calls.length, before);
    await scene.run("bad");
    await remove(scene, "bad");
    scene.guest.failNext("createContainer", injected);
    await refuses(scene.create("worse"), "PermissionDenied");
    await remove(scene, "pod1"); // "worse" does not keep it
    assertEquals([scene.shim.tasks.size, scene.vm.state], [0, "Running"]);
  }, exitOnKill);
});

Deno.test("peer:failed-pod a pod whose first container could not be created can be created again, and its network with it", async () => {
  await withNetwork(async (scene) => {
    await scene.sandboxes.create("pod1", scene.bundle);
    await scene.sandboxes.start("pod1");
    await scene.writeSpec(networked("ns2", "sandbox", "pod1"));
    scene.guest.failNext("createContainer", injected);
    await refuses(scene.create("pod1"), "PermissionDenied", "injected");
    const said = asked(scene);
    assertEquals([said[0], said.at(-1)], ["Add e3", "Remove e3"]);
    for (const method of ["State", "Start", "Delete"] as const) {
      await refuses(scene.tasks.call(method, { id: "pod1" }), "NotFound");
    }
    await scene.run("pod1");
    assertEquals(asked(scene)[0], "Add e3");
    await remove(scene, "pod1");
    assertEquals(asked(scene).at(-1), "Remove e3");
  });
});

Deno.test("peer:repeated-id a create that repeats the id of another pod's container asks nothing of host and guest, and harms nobody", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    await startPod(scene, "pod1");
    await scene.run("c1");
    await scene.writeSpec(criSpec("sandbox", "pod2"));
    await scene.run("pod2");
    await scene.writeSpec(criSpec("container", "pod2"));
    const { pid } = await tasks.call("State", { id: "c1" });
    const before = [scene.guest.calls.length, scene.vm.modified.length];
    await refuses(scene.create("c1"), "AlreadyExists", '"c1"');
    assertEquals(
      [scene.guest.calls.length, scene.vm.modified.length],
      before,
    );
    const state = await tasks.call("State", { id: "c1" });
    assertEquals([state.pid, state.status], [pid, TaskStatus.RUNNING]);
    await remove(scene, "c1");
    assertEquals(
      scene.topics.filter((topic) => topic === "/tasks/exit").length,
      1,
    );
    await remove(scene, "pod2");
    await remove(scene, "pod1");
  }, exitOnKill);
});

Deno.test("peer:refused-delete a delete of the sandbox container that is refused does nothing; the next one takes the network down", async () => {
  await withNetwork(async (scene) => {
    await scene.sandboxes.create("pod1", scene.bundle);
    await scene.sandboxes.start("pod1");
    await scene.writeSpec(networked("ns2", "sandbox", "pod1"));
    await scene.run("pod1");
    await scene.writeSpec(criSpec("container", "pod1"));
    await scene.run("a");
    await scene.tasks.call("Kill", { id: "pod1", signal: 9 });
    const ended = await scene.tasks.call("Wait", { id: "pod1" });
    asked(scene);
    const guest = scene.guest.calls.length;
    const topics = [...scene.topics];
    await refuses(
      scene.tasks.call("Delete", { id: "pod1" }),
      "FailedPrecondition",
      "1 containers",
    );
    assertEquals([asked(scene), scene.guest.calls.length], [[], guest]);
    assertEquals(scene.topics, topics);
    const { status } = await scene.tasks.call("State", { id: "pod1" });
    assertEquals(status, TaskStatus.STOPPED); // it is still known
    await remove(scene, "a");
    const { exitStatus } = await scene.tasks.call("Delete", { id: "pod1" });
    assertEquals(exitStatus, ended.exitStatus);
    assertEquals(asked(scene).at(-1), "Remove e3");
    assertEquals(
      scene.topics.filter((topic) => topic === "/tasks/delete").length,
      2,
    );
  });
});

for (
  const [what, error, status] of [
    ["that fails", new Error("crashed"), 1359],
    ["in order", undefined, 0],
  ] as const
) {
  Deno.test(`peer:wait-sandbox a VM ${what} has one exit status for all who wait, before, at and after its end`, async () => {
    await withSandbox(async (scene, client) => {
      await client.start("pod1");
      const waits = [client.wait("pod1"), client.wait("pod1")];
      scene.vm.die(error);
      waits.push(client.wait("pod1")); // nothing has been booked yet
      await scene.clock.advance(0);
      waits.push(client.wait("pod1"));
      for (const { exitStatus, exitedAt } of await Promise.all(waits)) {
        assertEquals([exitStatus, exitedAt?.seconds], [status, 1_700_000_060n]);
      }
    });
  });
}

Deno.test("peer:wait-unstarted WaitSandbox of a sandbox that never ran ends with its stop", async () => {
  await withSandbox(async (scene, client) => {
    const waited = client.wait("pod1");
    await client.stop("pod1");
    const { exitStatus, exitedAt } = await waited;
    assertEquals([exitStatus, exitedAt?.seconds], [0, 1_700_000_060n]);
    assertEquals(scene.eventsClosed, false); // the shim is still there
  });
});

Deno.test("peer:lost-status a process that was lost with its guest has containerd's unknown exit status, everywhere", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    const waited = scene.tasks.call("Wait", { id: "web" });
    scene.vm.die(new Error("the guest is gone"));
    const unknown = 255;
    assertEquals((await waited).exitStatus, unknown);
    await scene.until(() => scene.topics.includes("/tasks/exit"));
    const exit = scene.events.find(({ topic }) => topic === "/tasks/exit");
    const { exitStatus } = exit?.event as { exitStatus: number };
    assertEquals(exitStatus, unknown);
    const state = await scene.tasks.call("State", { id: "web" });
    assertEquals([state.status, state.exitStatus], [
      TaskStatus.STOPPED,
      unknown,
    ]);
    const deleted = await scene.tasks.call("Delete", { id: "web" });
    assertEquals(deleted.exitStatus, unknown);
  });
});
