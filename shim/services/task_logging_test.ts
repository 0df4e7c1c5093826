import { assertEquals } from "@std/assert";
import { defaultTimeouts } from "../../base/timeouts.ts";
import type { FakeLoggingProgram } from "../../controllers/testing/fake_logging_program.ts";
import { processSpec, type TaskScene, withTasks } from "./task_scene.ts";

const stdout = "binary:///bin/logger";
const ended = ["closed stdout", "closed stderr", "exited"];

/** A container and an exec in it that run with a logging program each. */
async function runLogged(scene: TaskScene): Promise<FakeLoggingProgram[]> {
  const { tasks, platform } = scene;
  await scene.create("web", { stdout, stderr: stdout });
  await tasks.call("Start", { id: "web" });
  const exec = { id: "web", execId: "e", stdout, spec: processSpec };
  await tasks.call("Exec", exec);
  await tasks.call("Start", { id: "web", execId: "e" });
  assertEquals(platform.programs.map(({ process }) => process), [
    { namespace: "default", containerId: "web", execId: "" },
    { namespace: "default", containerId: "web", execId: "e" },
  ]);
  return platform.programs.map(({ program }) => program);
}

Deno.test("the end of a process ends its logging program, and no other", async () => {
  await withTasks(async (scene) => {
    const [init, exec] = await runLogged(scene);
    const waited = scene.tasks.call("Wait", { id: "web", execId: "e" });
    await scene.lastProcess.exit(3);
    assertEquals((await waited).exitStatus, 3);
    assertEquals([init?.events, exec?.events], [[], ended]);
  });
});

Deno.test("State tells where the output goes, and that there is neither input nor terminal", async () => {
  await withTasks(async (scene) => {
    await scene.create("web", { stdin: "/in", stdout, terminal: true });
    const state = await scene.tasks.call("State", { id: "web" });
    assertEquals(
      [state.stdin, state.stdout, state.stderr, state.terminal],
      ["", stdout, stdout, false],
    );
  });
});

Deno.test("a task that is deleted before its start ends its logging program", async () => {
  await withTasks(async (scene) => {
    await scene.create("web", { stdout });
    await scene.tasks.call("Delete", { id: "web" });
    assertEquals(scene.platform.programs[0]?.program.events, ended);
  });
});

Deno.test("the end of the VM ends all logging programs", async () => {
  await withTasks(async (scene) => {
    const programs = await runLogged(scene);
    const waited = scene.tasks.call("Wait", { id: "web" });
    scene.vm.die();
    await scene.clock.advance(defaultTimeouts.drainGrace);
    await waited;
    assertEquals(programs[0]?.events, ended);
  });
});

Deno.test("the shim does not leave before its logging programs have ended, or are killed", async () => {
  await withTasks(async (scene) => {
    const programs = await runLogged(scene);
    for (const program of programs) program.endsWithStreams = false;
    let isOver = false;
    const over = scene.shim.end("SIGTERM").then(() => isOver = true);
    await scene.clock.advance(defaultTimeouts.drainGrace);
    await scene.clock.advance(defaultTimeouts.loggerExit - 1);
    assertEquals(isOver, false);
    await scene.clock.advance(defaultTimeouts.drainGrace + 1);
    await over;
    for (const { events } of programs) {
      assertEquals(events, [...ended.slice(0, 2), "killed", "exited"]);
    }
  });
});
