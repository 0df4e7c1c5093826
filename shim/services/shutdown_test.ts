import { assertEquals } from "@std/assert";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { FakeCall } from "../fake_shim.ts";
import { refuses, type TaskScene, withTasks } from "./task_scene.ts";

/** A container from its create to its delete; its VM goes on. */
async function runAndDelete(scene: TaskScene): Promise<void> {
  await scene.run("web");
  await scene.lastProcess.exit(0);
  await scene.tasks.call("Delete", { id: "web" });
}

/**
 * Shutdown with `now` while a container runs.
 *
 * @returns Settles when what comes behind the reply is over.
 */
async function shutDownNow(
  scene: TaskScene,
): Promise<{ replied: Promise<void> }> {
  await scene.run("web");
  const call = new FakeCall();
  await scene.tasks.call("Shutdown", { now: true }, call);
  return { replied: call.replied() };
}

Deno.test("host:D6 Shutdown ends an implicit VM when nothing is left, else does nothing", async () => {
  await withTasks(async (scene) => {
    const shutdown = async (): Promise<void> => {
      const call = new FakeCall();
      await scene.tasks.call("Shutdown", { id: "web" }, call);
      await call.replied();
    };
    await shutdown();
    await scene.run("web");
    await shutdown();
    assertEquals(scene.vm.state, "Running");
    await scene.lastProcess.exit(0);
    await scene.tasks.call("Delete", { id: "web" });
    await shutdown();
    await scene.shim.ended;
    assertEquals(scene.vm.state, "Terminated");
  });
});

Deno.test("Shutdown leaves no VM and no endpoint when it answers, and takes no new container", async () => {
  await withTasks(async (scene) => {
    await runAndDelete(scene);
    const release = scene.vm.holdNext("terminate");
    const call = new FakeCall();
    const shutdown = scene.tasks.call("Shutdown", { id: "web" }, call);
    await refuses(scene.create("web"), "Unavailable", "shutting down");
    assertEquals(scene.endpointClosed, false);
    release();
    await shutdown;
    assertEquals([scene.vm.state, scene.endpointClosed], ["Terminated", true]);
    await call.replied();
    await scene.shim.ended;
  });
});

Deno.test("Shutdown answers although the VM does not end", async () => {
  await withTasks(async (scene) => {
    await runAndDelete(scene);
    const release = scene.vm.holdNext("terminate");
    const call = new FakeCall();
    const shutdown = scene.tasks.call("Shutdown", { id: "web" }, call);
    await scene.clock.advance(defaultTimeouts.shutdownReply);
    await shutdown;
    const replied = call.replied();
    release();
    await replied;
    await scene.shim.ended;
  });
});

Deno.test("the exits of containers are told although their VM takes its time to end", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    const release = scene.vm.holdNext("terminate");
    const ended = scene.shim.end("SIGTERM");
    await scene.clock.advance(defaultTimeouts.vmTerminate);
    release();
    await ended;
    assertEquals(scene.topics.at(-1), "/tasks/exit");
    assertEquals(scene.eventsClosed, true);
  });
});

Deno.test("a shim whose answer to Shutdown nobody takes ends by itself", async () => {
  await withTasks(async (scene) => {
    await runAndDelete(scene);
    // Its reply is never written.
    await scene.tasks.call("Shutdown", { id: "web" }, new FakeCall());
    await scene.clock.advance(defaultTimeouts.implicitVmIdle);
    await scene.shim.ended;
    assertEquals(scene.eventsClosed, true);
  });
});

Deno.test("Shutdown with `now` ends the shim whose VM ends, whatever tasks are left", async () => {
  await withTasks(async (scene) => {
    const { replied } = await shutDownNow(scene);
    assertEquals([scene.vm.state, scene.eventsClosed], ["Running", false]);
    scene.vm.die();
    await replied;
    await scene.shim.ended;
    assertEquals(scene.topics.at(-1), "/tasks/exit");
    assertEquals(scene.eventsClosed, true);
  });
});

Deno.test("Shutdown with `now` changes nothing while the VM goes on, and is forgotten", async () => {
  await withTasks(async (scene) => {
    const { replied } = await shutDownNow(scene);
    await scene.clock.advance(defaultTimeouts.binaryDelete);
    await replied;
    scene.vm.die();
    const { exitStatus } = await scene.tasks.call("Wait", { id: "web" });
    assertEquals([exitStatus, scene.eventsClosed], [255, false]);
  });
});
