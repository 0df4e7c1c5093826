import { assertEquals, assertRejects } from "@std/assert";
import { ExitWatch } from "./exit_watch.ts";

interface Scene {
  readonly told: string[];
  readonly exit: (status: number) => void;
  readonly watch: ExitWatch<number>;
}

function scene(): Scene {
  const told: string[] = [];
  const { promise, resolve } = Promise.withResolvers<number>();
  const watch = new ExitWatch(promise, (status) => told.push(`exit ${status}`));
  return { told, exit: resolve, watch };
}

Deno.test("ExitWatch tells the exit after the start, even when the process ends first", async () => {
  const { told, exit, watch } = scene();
  const started = Promise.withResolvers<number>();
  const pid = watch.start(
    () => started.promise,
    (pid) => told.push(`start ${pid}`),
  );
  exit(3);
  await Promise.resolve();
  started.resolve(7);
  assertEquals(await pid, 7);
  await watch.told;
  assertEquals(told, ["start 7", "exit 3"]);
});

Deno.test("ExitWatch tells nothing of a process whose start failed", async () => {
  const { told, exit, watch } = scene();
  await assertRejects(
    () => watch.start(() => Promise.reject(new Error("no")), () => {}),
    Error,
    "no",
  );
  exit(1);
  await watch.told;
  await watch.delete(() => Promise.resolve());
  assertEquals(told, []);
});

Deno.test("ExitWatch is not disturbed by a second start that is refused", async () => {
  const { told, exit, watch } = scene();
  await watch.start(() => Promise.resolve(1), () => told.push("start"));
  await assertRejects(() =>
    watch.start(() => Promise.reject(new Error("it runs")), () => {})
  );
  exit(0);
  await watch.told;
  assertEquals(told, ["start", "exit 0"]);
});

Deno.test("ExitWatch tells the exit of a process that was killed before its start", async () => {
  const { told, exit, watch } = scene();
  exit(1);
  await watch.told;
  assertEquals(told, ["exit 1"]);
});

Deno.test("ExitWatch tells no exit of a process that was deleted before its start", async () => {
  const { told, exit, watch } = scene();
  // The deletion is what ends it.
  await watch.delete(() => {
    exit(0);
    return watch.told;
  });
  assertEquals(told, []);
});

Deno.test("ExitWatch tells the exit of a process whose deletion failed", async () => {
  const { told, exit, watch } = scene();
  const failure = new Error("busy");
  await assertRejects(
    () => watch.delete(() => Promise.reject(failure)),
    Error,
    "busy",
  );
  exit(1);
  await watch.told;
  assertEquals(told, ["exit 1"]);
});

Deno.test("ExitWatch.delete() waits until the exit has been told", async () => {
  const { told, exit, watch } = scene();
  await watch.start(() => Promise.resolve(1), () => told.push("start"));
  const deleted = watch.delete(() => Promise.resolve())
    .then(() => told.push("delete"));
  exit(0);
  await deleted;
  assertEquals(told, ["start", "exit 0", "delete"]);
});
