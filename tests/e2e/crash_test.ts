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
  name: "a container goes on while containerd is restarted",
  timeout: limit,
  fn: async () => {
    // One of the test's own: its process ends and begins within the test.
    await using ctr = await PrivateContainerd.start();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    await ctr.halt();
    await ctr.launch();
    assertMatch(
      await ctr.ctr("task", "ls"),
      new RegExp(`${id}\\s+\\d+\\s+RUNNING`),
    );
    await ctr.run(["task", "delete", "--force", id]);
    await ctr.ctr("container", "delete", id);
    assertEquals(await ctr.leftovers(), []);
  },
});
