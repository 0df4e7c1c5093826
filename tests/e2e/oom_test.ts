/** Containers that want more memory than they have. */

import { assertEquals } from "@std/assert";
import { EventLog } from "./events.ts";
import {
  assertNothingLeft,
  daemon,
  limit,
  newId,
  remove,
  useContainerd,
} from "./fixture.ts";

useContainerd();

/** Whether a group of control groups, of either version, limits memory here. */
async function limitsMemory(): Promise<boolean> {
  for (
    const [file, word] of [
      ["/sys/fs/cgroup/memory/memory.limit_in_bytes", ""],
      ["/sys/fs/cgroup/cgroup.controllers", "memory"],
    ] as const
  ) {
    try {
      if ((await Deno.readTextFile(file)).includes(word)) return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return false;
}

const ignore = !await limitsMemory();
if (ignore) {
  console.log(
    "skip: out of memory: the kernel has no groups that limit memory",
  );
}

const limited = ["--memory-limit", `${64 * 1024 * 1024}`];

/** Touches twice as much. The kernel takes this process before others. */
const hungry = "echo 1000 > /proc/self/oom_score_adj; " +
  "exec dd if=/dev/zero of=/dev/null bs=128M count=1";

Deno.test({
  name:
    "an init process that wants too much memory is killed: exit 137, told as out of memory before its exit",
  ignore,
  timeout: limit,
}, async () => {
  const ctr = daemon();
  await using events = await EventLog.open(ctr);
  const id = newId();
  const args = ctr.runArgs(id, ["sh", "-c", hungry], ["--rm", ...limited]);
  assertEquals((await ctr.run(args)).code, 137);
  await events.until(/\/tasks\/delete/);
  const topics = events.lines.filter((line) => line.includes(id))
    .map((line) => /\/tasks\/(oom|exit)/.exec(line)?.[1])
    .filter((topic) => topic !== undefined);
  assertEquals(topics, ["oom", "exit"]);
  await assertNothingLeft();
});

Deno.test({
  name:
    "an exec that wants too much memory is killed and told of, the container goes on",
  ignore,
  timeout: limit,
}, async () => {
  const ctr = daemon();
  await using events = await EventLog.open(ctr);
  const id = newId();
  await ctr.ctr(
    ...ctr.runArgs(id, ["sleep", "1000"], ["--detach", ...limited]),
  );
  const exec = (...command: string[]) =>
    ctr.run([
      "task",
      "exec",
      "--fifo-dir",
      `${ctr.dir}/fifo`,
      "--exec-id",
      newId("e"),
      id,
      ...command,
    ]);
  assertEquals((await exec("sh", "-c", hungry)).code, 137);
  await events.until(new RegExp(`/tasks/oom .*${id}`));
  assertEquals((await exec("echo", "still here")).stdout, "still here\n");
  // A kill that a client asks for is no want of memory.
  await remove(id);
  await events.until(new RegExp(`/tasks/delete .*"container_id":"${id}"`));
  assertEquals(events.lines.filter((line) => /\/oom/.test(line)).length, 1);
  await assertNothingLeft();
});
