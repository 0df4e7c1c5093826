/** What people ask a running shim, on the command line. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
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

async function lcow(
  id: string,
  question: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(shim, {
    args: ["-namespace", "default", "-id", id, "lcow", question],
    env: daemon().env,
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

Deno.test({
  name:
    "lcow ps lists the task and its execs, lcow stacks what shim and guest do",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    const exec = ["--detach", "--fifo-dir", `${ctr.dir}/fifo`, "--exec-id"];
    await ctr.ctr("task", "exec", ...exec, "probe", id, "sleep", "1000");

    const ps = await lcow(id, "ps");
    assertEquals([ps.code, ps.stderr], [0, ""]);
    const [, init = "", probe = ""] = ps.stdout.split("\n");
    assertMatch(init, new RegExp(`^${id}\\s.*RUNNING`));
    assertMatch(probe, new RegExp(`^${id}\\s+probe\\s.*RUNNING`));

    const stacks = await lcow(id, "stacks");
    assertEquals([stacks.code, stacks.stderr], [0, ""]);
    const [host = "", guest = ""] = stacks.stdout.split("\nGuest:\n");
    assert(host.startsWith("Host:\n"), host);
    assertStringIncludes(host, id);
    assertStringIncludes(host, "WaitForProcess");
    assertMatch(guest, new RegExp(`containers:\\n\\s+${id}\\b`));

    await remove(id);
    const gone = await lcow(id, "ps");
    assertEquals([gone.code, gone.stdout], [1, ""]);
    assertStringIncludes(gone.stderr, `No shim serves`);
    await assertNothingLeft();
  },
});
