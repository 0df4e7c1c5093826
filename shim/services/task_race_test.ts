import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import {
  processSpec,
  refuses,
  type TaskScene,
  withTasks,
} from "./task_scene.ts";

/** Where a create can be when something else happens. */
const stages = ["boot", "createContainer"] as const;

/** A create that is held there. */
async function held(
  scene: TaskScene,
  stage: typeof stages[number],
): Promise<{ created: Promise<void>; release: () => void }> {
  let release = (): void => {};
  let reached = (): boolean => false;
  scene.onVm = (vm) => {
    if (stage === "boot") {
      release = vm.holdNext("start");
      reached = () => vm.calls.includes("start");
    } else {
      release = vm.guest.holdNext("createContainer");
      reached = () => vm.guest.callsOf("createContainer").length > 0;
    }
  };
  const created = scene.create("web");
  created.catch(() => {});
  await scene.until(() => reached());
  return { created, release };
}

for (const stage of stages) {
  Deno.test(`the end of the shim during Create, at ${stage}, fails it and leaves nothing`, async () => {
    await withTasks(async (scene) => {
      const { created, release } = await held(scene, stage);
      const ended = scene.shim.end("SIGTERM");
      release();
      await assertRejects(() => created, ShimError);
      await ended;
      assertEquals([scene.vm.state, scene.topics], ["Terminated", []]);
      await refuses(scene.create("late"), "Unavailable", "shutting down");
    });
  });

  Deno.test(`Wait and Delete during Create, at ${stage}, do not disturb it`, async () => {
    await withTasks(async (scene) => {
      const { created, release } = await held(scene, stage);
      const { tasks } = scene;
      const waited = tasks.call("Wait", { id: "web" });
      await refuses(tasks.call("Delete", { id: "web" }), "FailedPrecondition");
      await refuses(tasks.call("Start", { id: "web" }), "FailedPrecondition");
      release();
      await created;
      await tasks.call("Start", { id: "web" });
      await scene.lastProcess.exit(4);
      assertEquals((await waited).exitStatus, 4);
    });
  });
}

Deno.test("an exec whose container ends during its start fails, is not told as started, and goes with the container", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    const init = scene.lastProcess;
    const exec = { id: "web", execId: "probe" };
    await scene.tasks.call("Exec", { ...exec, spec: processSpec });
    const release = scene.guest.holdNext("execute");
    scene.guest.failNext("execute", new ShimError("NotFound", "it has ended"));
    const started = scene.tasks.call("Start", exec);
    started.catch(() => {});
    await scene.until(() => scene.guest.callsOf("execute").length === 2);
    await init.exit(0);
    release();
    await refuses(started, "NotFound", "it has ended");
    const state = await scene.tasks.call("State", exec);
    assertEquals(state.exitStatus, 1);
    await scene.tasks.call("Delete", { id: "web" });
    assertEquals(scene.topics, [
      "/tasks/create",
      "/tasks/start",
      "/tasks/exec-added",
      "/tasks/exit",
      "/tasks/delete",
    ]);
  });
});

Deno.test("a Wait that was there first hears the exit of a container that is deleted at once", async () => {
  await withTasks(async (scene) => {
    const pid = await scene.run("web");
    const waits = [1, 2, 3].map(() => scene.tasks.call("Wait", { id: "web" }));
    const exited = scene.lastProcess.exit(9);
    const deleted = await scene.tasks.call("Delete", { id: "web" });
    await exited;
    assertEquals([deleted.pid, deleted.exitStatus], [pid, 9]);
    for (const wait of waits) assertEquals((await wait).exitStatus, 9);
    assertEquals(scene.topics.slice(-2), ["/tasks/exit", "/tasks/delete"]);
  });
});
