import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { processSpec, type TaskScene } from "../services/task_scene.ts";
import { shimVersion } from "../version.ts";
import {
  type LcowHost,
  registerOlder,
  withHost,
  withServedShim,
} from "./lcow_scene.ts";

/** A pod with one workload that has one exec. */
function withPod(
  task: (host: LcowHost, scene: TaskScene) => Promise<void>,
): Promise<void> {
  return withServedShim(async (host, scene) => {
    await scene.runPod("pod1", "web");
    const exec = { id: "web", execId: "probe", spec: processSpec };
    await scene.tasks.call("Exec", exec);
    await task(host, scene);
  });
}

async function text(host: LcowHost, id: string): Promise<string> {
  const { code, stdout, stderr } = await host.run(["inspect", id]);
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

const started = new Date(performance.timeOrigin).toISOString();

const shimText = `shim n/pod1
  process:  pid ${Deno.pid}, version ${shimVersion}
  started:  ${started}
  endpoint: memory://n/pod1
`;

Deno.test("lcow inspect tells when a VM began and when it ended", async () => {
  await withServedShim(async (host, scene) => {
    await scene.sandboxes.create("pod1", scene.bundle);
    assertMatch(await text(host, "pod1"), /\n {2}VM: +Created\n {2}system:/);
    await scene.sandboxes.start("pod1");
    await scene.sandboxes.stop("pod1");
    const { startedAt, stoppedAt } = scene.vm;
    const [began, ended] = [startedAt, stoppedAt].map((time) =>
      new Date(time!).toISOString()
    );
    assertNotEquals(began, ended);
    const told = await text(host, "pod1");
    assertStringIncludes(told, `  VM:         Terminated since ${ended}\n`);
    assertStringIncludes(told, `  started:    ${began}\n`);
  });
});

Deno.test("lcow inspect of a pod's id prints sandbox, pod and container", async () => {
  await withPod(async (host, scene) => {
    const since = new Date(scene.vm.startedAt!).toISOString();
    assertEquals(
      await text(host, "pod1"),
      `${shimText}sandbox pod1
  VM:         Running since ${since}
  system:     pod1@vm
  runtime id: ${scene.vm.runtimeId}
  bundle:     ${scene.bundle}
  made by:    its first task
  pods:       pod1
pod pod1
  sandbox:    pod1
  containers: pod1, web
container pod1
  kind:    sandbox
  state:   Running
  init:    RUNNING, pid 101
  pod:     pod1
  sandbox: pod1
  bundle:  ${scene.bundle}
`,
    );
  });
});

Deno.test("lcow inspect of a container prints it with its execs", async () => {
  await withPod(async (host, scene) => {
    assertEquals(
      await text(host, "web"),
      `${shimText}container web
  kind:       workload
  state:      Running
  init:       RUNNING, pid 102
  exec probe: CREATED
  pod:        pod1
  sandbox:    pod1
  bundle:     ${scene.bundle}
`,
    );
    assertEquals(
      await text(host, "web/probe"),
      `${shimText}exec web/probe
  state: CREATED
`,
    );
  });
});

Deno.test("lcow inspect --json has what the id stands for, and nothing else", async () => {
  await withPod(async (host) => {
    const of = async (id: string): Promise<Record<string, unknown>> =>
      JSON.parse((await host.run(["inspect", id, "--json"])).stdout);
    assertEquals(Object.keys(await of("pod1")), [
      "id",
      "shim",
      "sandbox",
      "pod",
      "container",
      "calls",
    ]);
    assertEquals(Object.keys(await of("web")), [
      "id",
      "shim",
      "container",
      "calls",
    ]);
    const { exec } = await of("web/probe");
    assertEquals(exec, { id: "probe", pid: 0, status: "CREATED" });
  });
});

Deno.test("lcow inspect shows how a process ended", async () => {
  await withPod(async (host, scene) => {
    await scene.lastProcess.exit(137);
    await scene.tasks.call("Wait", { id: "web" });
    const { stdout } = await host.run(["inspect", "web", "--json"]);
    const { init: { exitedAt, ...init } } = JSON.parse(stdout).container;
    assertEquals(init, { id: "", pid: 102, status: "STOPPED", exitCode: 137 });
    assertStringIncludes(
      await text(host, "web"),
      `init:       STOPPED, pid 102, exit code 137 at ${exitedAt}\n`,
    );
  });
});

Deno.test("lcow inspect names the execs of a container that lacks the one asked for", async () => {
  await withPod(async (host) => {
    const { code, stderr } = await host.run(["inspect", "web/none"]);
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      'Container "web" has no exec "none": there are probe\n',
    );
    assertStringIncludes(
      (await host.run(["inspect", "pod1/x"])).stderr,
      'Container "pod1" has no exec "x": it has none\n',
    );
  });
});

Deno.test("lcow inspect tells what a shim without the Operator service knows", async () => {
  await withHost(async (host, scene) => {
    await host.serve("default", "pod1", registerOlder(scene));
    await scene.run("pod1");
    assertEquals(
      await text(host, "pod1"),
      `shim default/pod1
  process:  pid ${Deno.pid}, an older shim or another program's
  endpoint: memory://default/pod1
container pod1
  init:   RUNNING, pid 101
  bundle: ${scene.bundle}
`,
    );
  });
});
