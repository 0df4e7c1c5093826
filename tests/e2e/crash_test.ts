/** Shims and guests that are killed. */

import { assert, assertEquals } from "@std/assert";
import { stateFolders } from "../../sim/state.ts";
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
      args: ["-namespace", "default", "-id", pod, "lcow", "ps"],
      env: daemon().env,
    }).output();
    if (new TextDecoder().decode(stdout).includes(id)) return;
  }
}
