/** Shims and guests that are killed. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { stateFolders } from "../../sim/state.ts";
import { PrivateContainerd } from "../containerd.ts";
import { type Processes, processesOf } from "../processes.ts";
import {
  assertNothingLeft,
  daemon,
  limit,
  newId,
  remove,
  runContainer,
  useContainerd,
} from "./fixture.ts";

useContainerd();

/** The processes of the shim and the machine of a group. */
function processes(id: string): Promise<Processes> {
  return processesOf(stateFolders(`${daemon().dir}/lcow`), id);
}

/** A command of ctr that has said something and goes on. */
async function talking(
  args: readonly string[],
): Promise<{ ended: () => Promise<number> }> {
  const process = daemon().spawn(args);
  const reader = process.stdout.getReader();
  assert(!(await reader.read()).done);
  return {
    ended: async () => {
      while (!(await reader.read()).done);
      await process.stderr.cancel();
      return (await process.status).code;
    },
  };
}

const script = ["sh", "-c", "echo up; sleep 1000"];

const pod = (id: string, type: string): string[] => [
  "--detach",
  "--annotation",
  `io.kubernetes.cri.container-type=${type}`,
  "--annotation",
  `io.kubernetes.cri.sandbox-id=${id}`,
];

Deno.test({
  name:
    "a shim killed with SIGKILL leaves nothing: containerd's delete recovers",
  timeout: limit,
  fn: async () => {
    const id = newId();
    const run = await talking(daemon().runArgs(id, script));
    Deno.kill((await processes(id)).shim, "SIGKILL");
    assert(await run.ended() !== 0);
    await remove(id);
    await assertNothingLeft();
    assertEquals((await runContainer(["echo", "next"])).stdout, "next\n");
    await assertNothingLeft();
  },
});

Deno.test({
  name:
    "pains:23 a container goes on while containerd is restarted: it takes execs, is heard and tells its end",
  timeout: limit,
  fn: async () => {
    // One of the test's own: its process ends and begins within the test.
    await using ctr = await PrivateContainerd.start();
    const id = newId();
    const script = "trap 'echo bye; exit 9' TERM; " +
      "while :; do echo tick; sleep 0.05; done";
    await ctr.ctr(...ctr.runArgs(id, ["sh", "-c", script], ["--detach"]));
    await ctr.halt();
    await ctr.launch();
    assertMatch(
      await ctr.ctr("task", "ls"),
      new RegExp(`${id}\\s+\\d+\\s+RUNNING`),
    );
    const exec = ["task", "exec", "--fifo-dir", `${ctr.dir}/fifo`];
    assertEquals(
      await ctr.run([...exec, "--exec-id", "e", id, "echo", "again"]),
      { code: 0, stdout: "again\n", stderr: "" },
    );
    const attached = ctr.spawn(["task", "attach", id]);
    let seen = "";
    for await (
      const text of attached.stdout.pipeThrough(new TextDecoderStream())
    ) {
      if (seen === "") await ctr.ctr("task", "kill", "--signal", "SIGTERM", id);
      seen += text;
    }
    await attached.stderr.cancel();
    assertEquals((await attached.status).code, 9);
    assertMatch(seen, /tick\nbye\n$/);
    await ctr.ctr("container", "delete", id);
    assertEquals(await ctr.leftovers(), []);
  },
});

Deno.test({
  name:
    "pains:7 a task that containerd forgot while its shim went on takes its shim along",
  timeout: limit,
  fn: async () => {
    await using ctr = await PrivateContainerd.start();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    await ctr.halt();
    // Without it a restarted containerd takes the shim for dead: it runs `delete`.
    await Deno.remove(
      `${ctr.dir}/state/io.containerd.runtime.v2.task/default/${id}/address`,
    );
    await ctr.launch();
    await ctr.run(["container", "delete", id]);
    assertEquals(await ctr.leftovers(), []);
  },
});

Deno.test({
  name:
    "the shim of a pod killed with SIGKILL leaves nothing of pod and workloads",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const ids = [newId("pod"), newId("web"), newId("db")] as const;
    for (const id of ids) {
      const type = id === ids[0] ? "sandbox" : "container";
      await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], pod(ids[0], type)));
    }
    Deno.kill((await processes(ids[0])).shim, "SIGKILL");
    // Nobody deletes a task: containerd does all by itself.
    await assertNothingLeft();
    assertEquals(await ctr.ctr("task", "ls", "--quiet"), "");
    for (const id of ids) await remove(id);
  },
});

Deno.test({
  name: "a guest killed while an exec runs ends it, and nothing stays",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    const fifos = ["--fifo-dir", `${ctr.dir}/fifo`];
    const exec = await talking([
      ...["task", "exec", ...fifos, "--exec-id", "e", id],
      ...script,
    ]);
    Deno.kill((await processes(id)).agent, "SIGKILL");
    assert(await exec.ended() !== 0);
    const refused = await ctr.run([
      ...["task", "exec", ...fifos, "--exec-id", "f", id, "true"],
    ]);
    assert(refused.code !== 0);
    await remove(id);
    await assertNothingLeft();
  },
});

Deno.test({
  name:
    "a guest killed while it makes a container fails that create, and nothing stays",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const [id, web] = [newId("pod"), newId("web")];
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], pod(id, "sandbox")));
    const { agent } = await processes(id);
    // A create that reaches a guest which does nothing stays under way.
    Deno.kill(agent, "SIGSTOP");
    const create = ctr.run(
      ctr.runArgs(web, ["sleep", "1000"], pod(id, "container")),
    );
    await createIsUnderWay(id, web);
    Deno.kill(agent, "SIGKILL");
    assert((await create).code !== 0);
    await remove(web);
    await remove(id);
    await assertNothingLeft();
  },
});

/** Asks the shim itself until it lists the task. */
async function createIsUnderWay(pod: string, id: string): Promise<void> {
  const shim = new URL("../../bin/containerd-shim-lcow-v2", import.meta.url);
  for (;;) {
    const { stdout } = await new Deno.Command(shim.pathname, {
      args: ["lcow", "ps", pod, "--namespace", "default"],
      env: daemon().env,
    }).output();
    if (new TextDecoder().decode(stdout).includes(id)) return;
  }
}
