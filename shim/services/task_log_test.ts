import { assertEquals, assertStringIncludes } from "@std/assert";
import { jsonLogger } from "../../base/log.ts";
import { ShimError } from "../../base/errors.ts";
import { processSpec, type TaskScene, withTasks } from "./task_scene.ts";

/** A line of the log. */
type Line = Readonly<Record<string, unknown>>;

/** Runs a test whose shim logs at the default level. */
function withLog(
  task: (scene: TaskScene, lines: readonly Line[]) => Promise<void>,
): Promise<void> {
  const lines: Line[] = [];
  const log = jsonLogger((text) => {
    const { time: _time, ...line } = JSON.parse(text);
    lines.push(line);
  });
  return withTasks((scene) => task(scene, lines), { log });
}

const ofWeb = { level: "info", "sandbox-id": "pod1", pod: "pod1", cid: "web" };

Deno.test("the log tells create, start and exit of a container, once each and with its ids", async () => {
  await withLog(async (scene, lines) => {
    const { tasks } = scene;
    await scene.runPod("pod1", "web");
    const init = scene.lastProcess;
    const probe = { id: "web", execId: "probe" };
    await tasks.call("Exec", { ...probe, spec: processSpec });
    await tasks.call("Start", probe);
    await scene.lastProcess.exit(1);
    await tasks.call("Wait", probe);
    await tasks.call("Delete", probe);
    await init.exit(3);
    await tasks.call("Wait", { id: "web" });
    await tasks.call("Delete", { id: "web" });
    assertEquals(lines.filter(({ cid }) => cid === "web"), [
      { ...ofWeb, msg: "Container created" },
      { ...ofWeb, msg: "Container started", pid: 102 },
      { ...ofWeb, msg: "Container exited", exitCode: 3 },
    ]);
  });
});

Deno.test("the log says of a container that was killed whether a client did it, or want of memory", async () => {
  await withLog(async (scene, lines) => {
    const { tasks } = scene;
    await scene.runPod("pod1", "web", "db", "app");
    const [, web, db, app] = scene.guest.processes;
    const LCOWMetrics = { memory_oom_control: { oom_kill: 1n } };
    scene.guest.propertiesOf.set("db", { LCOWMetrics });
    await tasks.call("Kill", { id: "web", signal: 9 });
    for (const process of [web, db, app]) await process!.exit(137);
    const ids = ["web", "db", "app"];
    await Promise.all(ids.map((id) => tasks.call("Delete", { id })));
    const ends = lines.filter(({ msg }) => msg === "Container exited")
      .map(({ cid, exitCode, killedByClient, oomKills }) => ({
        [String(cid)]: [exitCode, killedByClient, oomKills],
      }));
    assertEquals(Object.assign({}, ...ends), {
      web: [137, true, undefined],
      db: [137, undefined, 1],
      app: [137, undefined, undefined],
    });
    assertEquals(ends.length, 3);
  });
});

Deno.test("the log has the error of a create that failed, and no container", async () => {
  await withLog(async (scene, lines) => {
    await scene.runPod("pod1");
    const error = new ShimError("FailedPrecondition", "its logger has ended");
    scene.guest.failNext("createContainer", error);
    await scene.create("web").catch(() => {});
    const [line, ...more] = lines.slice(2);
    assertEquals([line?.["level"], line?.["msg"], more], [
      "warn",
      "Call failed",
      [],
    ]);
    assertEquals(line?.["rpc"], "containerd.task.v3.Task/Create");
    assertEquals(line?.["code"], "FailedPrecondition");
    assertStringIncludes(String(line?.["error"]), "its logger has ended");
  });
});

Deno.test("the log warns of a VM that ends unasked, and tells containers' ends with it", async () => {
  await withLog(async (scene, lines) => {
    await scene.runPod("pod1", "web");
    scene.vm.die(new Error("the kernel panicked"));
    await scene.tasks.call("Wait", { id: "web" });
    const ends = lines.filter(({ level, cid, msg }) =>
      level === "warn" || cid === "web" && msg === "Container exited"
    );
    assertEquals(ends, [
      {
        level: "warn",
        "sandbox-id": "pod1",
        msg: "The VM has ended unasked",
        "uvm-id": "pod1@vm",
        error: "the kernel panicked",
      },
      { ...ofWeb, msg: "Container exited", exitCode: 255 },
    ]);
  });
});

Deno.test("the log does not warn of a VM that was asked to end", async () => {
  await withLog(async (scene, lines) => {
    await scene.run("web");
    await scene.shim.end("test");
    assertEquals(lines.filter(({ level }) => level === "warn"), []);
    assertEquals(
      lines.filter(({ msg }) => msg === "The VM has ended").length,
      1,
    );
  });
});
