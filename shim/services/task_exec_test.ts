import { assertEquals, assertRejects } from "@std/assert";
import { TaskStatus } from "../../ttrpc/api/task_types.gen.ts";
import { FakeCall } from "../fake_shim.ts";
import { processSpec, refuses, withTasks } from "./task_scene.ts";

Deno.test("an exec runs, is told in order, and is deleted", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    await scene.run("web");
    const exec = { id: "web", execId: "e1" };
    await tasks.call("Exec", { ...exec, spec: processSpec });
    const { pid } = await tasks.call("Start", exec);
    const state = await tasks.call("State", exec);
    assertEquals([state.execId, state.status], ["e1", TaskStatus.RUNNING]);
    await scene.lastProcess.exit(5);
    assertEquals((await tasks.call("Wait", exec)).exitStatus, 5);
    const deleted = await tasks.call("Delete", exec);
    assertEquals([deleted.pid, deleted.exitStatus], [pid, 5]);
    await refuses(tasks.call("State", exec), "NotFound");
    assertEquals(scene.topics.slice(2), [
      "/tasks/exec-added",
      "/tasks/exec-started",
      "/tasks/exit",
      "/tasks/delete",
    ]);
    const exit = scene.events[4]?.event as Record<string, unknown>;
    assertEquals([exit["containerId"], exit["id"]], ["web", "e1"]);
  });
});

Deno.test("host:J21 host:K3 Wait ends when its client goes away; the process runs on, others wait on", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    await scene.run("web");
    const web = { id: "web" };
    const init = scene.lastProcess;
    const exec = { id: "web", execId: "e1" };
    await tasks.call("Exec", { ...exec, spec: processSpec });
    await tasks.call("Start", exec);
    for (
      const [ids, process] of [[exec, scene.lastProcess], [web, init]] as const
    ) {
      const call = new FakeCall();
      const left = tasks.call("Wait", ids, call);
      left.catch(() => {});
      const stays = tasks.call("Wait", ids);
      await scene.clock.advance(0); // both wait for the process
      call.disconnect();
      await assertRejects(() => left, DOMException, "gone");
      assertEquals((await tasks.call("State", ids)).status, TaskStatus.RUNNING);
      await process.exit(3);
      assertEquals((await stays).exitStatus, 3);
    }
  });
});

Deno.test("Wait for a container that is being created ends when its client goes away", async () => {
  await withTasks(async (scene) => {
    const held = Promise.withResolvers<() => void>();
    scene.onVm = (vm) => held.resolve(vm.holdNext("create"));
    const created = scene.create("web");
    const release = await held.promise;
    const call = new FakeCall();
    const waited = scene.tasks.call("Wait", { id: "web" }, call);
    waited.catch(() => {});
    await scene.clock.advance(0); // it waits for the create
    call.disconnect();
    await assertRejects(() => waited, DOMException, "gone");
    release();
    await created;
  });
});

Deno.test("no exit is told of an exec that is deleted before it was started", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    await scene.run("web");
    const exec = { id: "web", execId: "e1" };
    await tasks.call("Exec", { ...exec, spec: processSpec });
    await tasks.call("Delete", exec);
    assertEquals(scene.topics.slice(2), [
      "/tasks/exec-added",
      "/tasks/delete",
    ]);
  });
});

Deno.test("Exec refuses a second process of one id, and forgets one that cannot be created", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    await scene.run("web");
    const exec = { id: "web", execId: "e1", spec: processSpec };
    await refuses(
      tasks.call("Exec", { ...exec, terminal: true, stderr: "/err" }),
      "FailedPrecondition",
      "stderr",
    );
    await tasks.call("Exec", exec);
    await refuses(tasks.call("Exec", exec), "AlreadyExists", "e1");
    await refuses(
      tasks.call("Exec", { ...exec, execId: "" }),
      "InvalidArgument",
    );
    const garbage = { typeUrl: "x", value: new TextEncoder().encode("{") };
    await refuses(
      tasks.call("Exec", { ...exec, execId: "e2", spec: garbage }),
      "InvalidArgument",
    );
    await tasks.call("Exec", { ...exec, execId: "e2" });
  });
});

Deno.test("the exit of an exec that its container takes along is told before the container's TaskDelete", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    const init = scene.lastProcess;
    const exec = { id: "web", execId: "probe" };
    await scene.tasks.call("Exec", { ...exec, spec: processSpec });
    await scene.tasks.call("Start", exec);
    const probe = scene.lastProcess;
    await init.exit(0);
    const { guest } = scene;
    const deleted = scene.tasks.call("Delete", { id: "web" });
    await scene.until(() => guest.callsOf("deleteContainerState").length === 1);
    await probe.exit(137);
    await deleted;
    assertEquals(
      scene.events.slice(4).map(({ topic, event }) => [
        topic,
        (event as { id: string }).id,
      ]),
      [
        ["/tasks/exit", "web"],
        ["/tasks/exit", "probe"],
        ["/tasks/delete", "web"],
      ],
    );
  });
});

Deno.test("an exec that never ran ends with status 1 when its container is deleted", async () => {
  await withTasks(async (scene) => {
    const { tasks } = scene;
    await scene.run("web");
    const exec = { id: "web", execId: "probe" };
    await tasks.call("Exec", { ...exec, spec: processSpec });
    const waited = tasks.call("Wait", exec);
    await scene.lastProcess.exit(0);
    await tasks.call("Delete", { id: "web" });
    assertEquals((await waited).exitStatus, 1);
    assertEquals(
      scene.events.slice(3).map(({ topic, event }) => {
        const { id, exitStatus } = event as { id: string; exitStatus: number };
        return [topic, id, exitStatus];
      }),
      [
        ["/tasks/exit", "web", 0],
        ["/tasks/exit", "probe", 1],
        ["/tasks/delete", "web", 0],
      ],
    );
  });
});

Deno.test("Delete of a container does not wait for ever for an exec whose end nobody tells", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    const init = scene.lastProcess;
    const exec = { id: "web", execId: "probe" };
    await scene.tasks.call("Exec", { ...exec, spec: processSpec });
    await scene.tasks.call("Start", exec);
    await init.exit(0);
    const deleted = scene.tasks.call("Delete", { id: "web" });
    await scene.until(() => scene.clock.sleepers === 1);
    await scene.clock.advance(30_000);
    await deleted;
    assertEquals(scene.topics.at(-1), "/tasks/delete");
  });
});
