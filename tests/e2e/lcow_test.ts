/** What people ask the shims of a host, on the command line. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { stateFolders } from "../../sim/state.ts";
import { PrivateContainerd } from "../containerd.ts";
import { processesOf } from "../processes.ts";
import {
  assertNothingLeft,
  daemon,
  limit,
  newId,
  remove,
  useContainerd,
} from "./fixture.ts";

useContainerd();

const shim =
  new URL("../../bin/containerd-shim-lcow-v2", import.meta.url).pathname;

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function lcowOf(
  { env }: PrivateContainerd,
  ...args: string[]
): Promise<Ending> {
  const { code, stdout, stderr } = await new Deno.Command(shim, {
    args: ["lcow", ...args],
    env,
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Asks; the answer must be a success without a word on standard error. */
async function ask(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await lcowOf(daemon(), ...args);
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

/** Runs a container of a pod. */
async function runMember(
  id: string,
  pod: string,
  kind: "sandbox" | "container",
): Promise<void> {
  await daemon().ctr(
    ...daemon().runArgs(id, ["sleep", "1000"], [
      "--detach",
      "--annotation",
      `io.kubernetes.cri.container-type=${kind}`,
      "--annotation",
      `io.kubernetes.cri.sandbox-id=${pod}`,
    ]),
  );
}

Deno.test({
  name: "lcow says that there is no shim",
  timeout: limit,
  fn: async () => {
    assertEquals(await ask("ps"), "No shim runs on this host.\n");
    assertEquals(await ask("stacks"), "No shim runs on this host.\n");
    assertEquals(await ask("prune"), "Nothing is left of crashed shims.\n");
    const { code, stdout, stderr } = await lcowOf(daemon(), "inspect", "x");
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /No sandbox, pod or container "x": no shim serves/);
    const usage = await lcowOf(daemon(), "top", "--json");
    assertEquals([usage.code, usage.stdout], [2, ""]);
    assertEquals(JSON.parse(usage.stderr).error.code, "InvalidArgument");
  },
});

Deno.test({
  name: "lcow ps, inspect, stacks and metrics show two pods and an exec",
  timeout: 2 * limit, // It starts many processes.
  fn: async () => {
    const ctr = daemon();
    const [pod, web, other] = [newId("pod"), newId("web"), newId("pod")];
    await runMember(pod, pod, "sandbox");
    await runMember(web, pod, "container");
    await runMember(other, other, "sandbox");
    const exec = ["--detach", "--fifo-dir", `${ctr.dir}/fifo`, "--exec-id"];
    await ctr.ctr("task", "exec", ...exec, "probe", web, "sleep", "1000");

    const tree = await ask("ps");
    const about = "pid \\d+, version [\\d.]+";
    const running = "Running, init RUNNING, pid \\d+";
    const podTree = (pod: string, ...members: string[]): string =>
      [
        `shim default/${pod}: ${about}`,
        `  sandbox ${pod}: VM Running`,
        `    pod ${pod}`,
        `      container ${pod}: sandbox, ${running}`,
        ...members,
      ].join("\n");
    const members = [
      `      container ${web}: workload, ${running}`,
      `        exec probe: RUNNING, pid \\d+`,
    ];
    const trees = [podTree(pod, ...members), podTree(other)];
    assertMatch(tree, new RegExp(`^${trees.join("\n")}\n$`));
    assertMatch(await ask("ps", web), new RegExp(`^${trees[0]}\n$`));
    assertEquals(await ask("ps", "--namespace", "default"), tree);
    assertEquals(
      await ask("ps", "--namespace", "k8s.io"),
      'No shim runs in namespace "k8s.io".\n',
    );

    const { container } = JSON.parse(await ask("inspect", web, "--json"));
    const pid = (await ctr.ctr("task", "ls")).split("\n")
      .find((line) => line.startsWith(web))?.split(/\s+/)[1];
    assertEquals(String(container.init.pid), pid);
    assertStringIncludes(container.bundle, `/default/${web}`);
    assertMatch(await ask("inspect", `${web}/probe`), /state: RUNNING, pid/);

    const stacks = await ask("stacks", web);
    const [host = "", guest = ""] = stacks.split("\nGuest:\n");
    assert(host.startsWith("Host:\n"), host);
    assertStringIncludes(host, web);
    assertStringIncludes(host, "WaitForProcess");
    assertMatch(guest, new RegExp(`containers:\\n[^]*\\s${web}\\b`));
    assertEquals((await ask("stacks")).match(/^Shim /gm)?.length, 2);

    const metrics = await ask("metrics");
    for (const sandbox of [pod, other]) {
      const labels = `namespace="default",sandbox="${sandbox}"`;
      assertStringIncludes(metrics, `\nlcow_shim_up{${labels}} 1\n`);
      const tasks = sandbox === pod ? 2 : 1;
      assertStringIncludes(
        metrics,
        `\nlcow_tasks{${labels},state="RUNNING"} ${tasks}\n`,
      );
    }
    assertEquals(metrics.match(/^# TYPE lcow_tasks /gm)?.length, 1);

    // The simulated host has no file shares, and says so.
    const share = await lcowOf(ctr, "share", web, "/etc", "--json");
    assertEquals([share.code, share.stdout], [1, ""]);
    assertMatch(
      JSON.parse(share.stderr).error.message,
      /simulated host has no file shares; use a disk, or/,
    );

    // Nothing of what lives is left over.
    assertEquals(await ask("prune"), "Nothing is left of crashed shims.\n");
    assertEquals(await ask("ps"), tree);
    for (const id of [web, pod, other]) await remove(id);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "lcow stacks tells what a shim waits for whose guest hangs",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    const state = stateFolders(`${ctr.dir}/lcow`);
    const { agent } = await processesOf(state, id);
    Deno.kill(agent, "SIGSTOP");
    try {
      const stacks = await ask("stacks", id);
      assertMatch(stacks, /guest call WaitForProcess of .*: for [\d.]+ s\n/);
      assertMatch(
        stacks,
        /\nGuest:\nThe guest does not tell what it is doing: .* longer than 5000 ms\n$/,
      );
    } finally {
      Deno.kill(agent, "SIGCONT");
    }
    await remove(id);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "lcow prune removes what a killed shim left, and nothing else",
  timeout: 2 * limit, // It starts many processes.
  fn: async () => {
    // One of the test's own: while it is down, nobody else cleans up.
    await using ctr = await PrivateContainerd.start();
    const [dead, alive] = [newId(), newId()];
    for (const id of [dead, alive]) {
      await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    }
    const lcow = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await lcowOf(ctr, ...args);
      assertEquals([code, stderr], [0, ""]);
      return stdout;
    };
    const { shim: { pid } } = JSON.parse(
      await lcow("inspect", dead, "--json"),
    );
    await ctr.halt();
    Deno.kill(pid, "SIGKILL");
    assertMatch(
      await lcow("ps", dead, "-n", "default"),
      new RegExp(`^shim default/${dead}: dead; .lcow prune. removes it\n$`),
    );
    const rows = `endpoint unix://\\S+\n%: vm ${dead}@vm \\(\\S+ of the dead ` +
      `shim ${pid}\\)\n`;
    const expected = (outcome: string): RegExp =>
      new RegExp(`^%: ${rows}$`.replaceAll("%", outcome));
    assertMatch(await lcow("prune", "--dry-run"), expected("found"));
    assertMatch(await lcow("prune"), expected("removed"));
    assertEquals(await lcow("prune"), "Nothing is left of crashed shims.\n");
    const { shims } = JSON.parse(await lcow("ps", "--json"));
    assertEquals(
      shims.map((
        { key, state }: { key: string; state: string },
      ) => [key, state]),
      [[alive, "serving"]],
    );
    await ctr.launch();
    for (const id of [dead, alive]) {
      await ctr.run(["task", "delete", "--force", id]);
      await ctr.ctr("container", "delete", id);
    }
    assertEquals(await ctr.leftovers(), []);
  },
});

Deno.test({
  name: "lcow refuses the form with -namespace and -id before it",
  timeout: limit,
  fn: async () => {
    const { code, stderr } = await new Deno.Command(shim, {
      args: ["-namespace", "default", "-id", "a", "lcow", "ps"],
      env: daemon().env,
    }).output();
    assertEquals(code, 1);
    assertMatch(new TextDecoder().decode(stderr), /lcow WORD ID --namespace/);
  },
});
