import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import type { ProcessStatus } from "../controllers/process/mod.ts";
import { CreateTaskRequest } from "../ttrpc/api/task.gen.ts";
import type { Container } from "./runtime.ts";
import { Task } from "./task.ts";
import { TaskEvents } from "./task_events.ts";

Deno.test("a Delete that comes behind a failed one waits for those before it", async () => {
  const attempts: PromiseWithResolvers<ProcessStatus>[] = [];
  const never = new Promise<never>(() => {});
  const container = {
    init: { exited: never },
    deleteProcess: () => {
      const attempt = Promise.withResolvers<ProcessStatus>();
      attempts.push(attempt);
      return attempt.promise;
    },
  } as unknown as Container;
  const task = new Task(CreateTaskRequest.decode(new Uint8Array()), {
    events: new TaskEvents({ publish: () => {} }),
    log: silentLogger,
    clock: new FakeClock(),
    timeouts: defaultTimeouts,
  });
  task.created(container);
  const turn = (): Promise<void> => new Promise((done) => setTimeout(done));
  const remove = (): Promise<ProcessStatus> => task.delete("probe", () => {});

  const first = remove();
  const second = remove();
  await turn();
  attempts[0]!.reject(new Error("busy"));
  await assertRejects(() => first, Error, "busy");
  const third = remove();
  await turn();
  assertEquals(attempts.length, 2);
  for (const [at, deleted] of [second, third].entries()) {
    attempts[at + 1]!.reject(new Error("gone"));
    await assertRejects(() => deleted, Error, "gone");
    await turn();
  }
  assertEquals(attempts.length, 3);
});
