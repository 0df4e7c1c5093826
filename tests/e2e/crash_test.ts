import { assertEquals, assertMatch } from "@std/assert";
import { PrivateContainerd } from "../containerd.ts";
import {
  assertNothingLeft,
  daemon,
  limit,
  newId,
  remove,
  runContainer,
  shimPid,
  useContainerd,
} from "./fixture.ts";

useContainerd();

Deno.test({
  name:
    "a shim killed with SIGKILL leaves nothing: containerd's delete recovers",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    const process = ctr.spawn(
      ctr.runArgs(id, ["sh", "-c", "echo up; sleep 1000"]),
    );
    const reader = process.stdout.getReader();
    await reader.read();
    Deno.kill(await shimPid(id), "SIGKILL");
    while (!(await reader.read()).done);
    await process.stderr.cancel();
    assertEquals((await process.status).code === 0, false);
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
