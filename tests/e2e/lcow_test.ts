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
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(shim, {
    args: ["lcow", ...args],
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

    const ps = await lcow("ps", id);
    assertEquals([ps.code, ps.stderr], [0, ""]);
    const [shimLine, , , init = "", probe = ""] = ps.stdout.split("\n");
    assertMatch(shimLine ?? "", new RegExp(`^shim default/${id}: pid \\d+, v`));
    assertMatch(init, new RegExp(`container ${id}: .*init RUNNING, pid`));
    assertMatch(probe, /exec probe: RUNNING, pid/);

    const stacks = await lcow("stacks", id);
    assertEquals([stacks.code, stacks.stderr], [0, ""]);
    const [host = "", guest = ""] = stacks.stdout.split("\nGuest:\n");
    assert(host.startsWith("Host:\n"), host);
    assertStringIncludes(host, id);
    assertStringIncludes(host, "WaitForProcess");
    assertMatch(guest, new RegExp(`containers:\\n\\s+${id}\\b`));

    await remove(id);
    const gone = await lcow("ps", id);
    assertEquals([gone.code, gone.stdout], [1, ""]);
    assertStringIncludes(gone.stderr, `No sandbox, pod or container "${id}"`);
    await assertNothingLeft();
  },
});
