import { assertEquals, assertStringIncludes } from "@std/assert";
import { jsonLogger } from "../base/log.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import { captureState } from "./capture_state.ts";
import { FakeShim } from "./fake_shim.ts";
import { withTasks } from "./services/task_scene.ts";
import type { Shim } from "./shim.ts";

/** The lines that are logged, as they come. */
function capture(shim: Shim): { lines: string[]; done: Promise<void> } {
  const lines: string[] = [];
  const log = jsonLogger((line) => lines.push(line));
  return { lines, done: captureState(shim, log) };
}

Deno.test("captureState() logs what the shim and its guest are doing, by their sandbox", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    scene.guest.stacks = "all that waits";
    const { lines, done } = capture(scene.shim);
    await done;
    assertEquals(lines.length, 2);
    assertStringIncludes(lines[0]!, 'task \\"web\\"');
    assertStringIncludes(lines[1]!, "all that waits");
    for (const line of lines) {
      assertEquals(JSON.parse(line)["sandbox-id"], "web");
    }
    scene.guest.stacks = "";
    const silent = capture(scene.shim);
    await silent.done;
    assertEquals(silent.lines.length, 1);
  });
});

Deno.test("captureState() logs the shim alone without a VM, and says that a guest is silent", async () => {
  const scene = new FakeShim();
  const { lines, done } = capture(scene.shim);
  await done;
  assertEquals(lines.length, 1);
  await scene.shim.end("test");
  await withTasks(async (scene) => {
    await scene.run("web");
    const release = scene.guest.holdNext("dumpStacks");
    const { lines, done } = capture(scene.shim);
    await scene.until(() => scene.guest.callsOf("dumpStacks").length === 1);
    await scene.clock.advance(defaultTimeouts.guestStacks);
    await done;
    assertStringIncludes(lines[1]!, "longer than 5000 ms");
    release();
  });
});
