import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AsyncQueue, Semaphore, SerialQueue } from "./queue.ts";

Deno.test("AsyncQueue hands out values in order and ends when closed", async () => {
  const queue = new AsyncQueue<number>({ capacity: 4 });
  const seen = Array.fromAsync(queue);
  queue.push(1);
  queue.push(2);
  queue.close();
  assertEquals(queue.push(3), 3);
  assertEquals(await seen, [1, 2]);
});

Deno.test("AsyncQueue refuses or drops the oldest when full", () => {
  const refusing = new AsyncQueue<number>({ capacity: 1 });
  assertEquals([refusing.push(1), refusing.push(2), refusing.size], [
    undefined,
    2,
    1,
  ]);
  const dropping = new AsyncQueue<number>({
    capacity: 1,
    overflow: "drop-oldest",
  });
  assertEquals([dropping.push(1), dropping.push(2), dropping.size], [
    undefined,
    1,
    1,
  ]);
});

Deno.test("SerialQueue runs one task after another, also after a failure", async () => {
  const queue = new SerialQueue();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = queue.run(async () => {
    await gate.promise;
    order.push("first");
    throw new Error("first failed");
  });
  const second = queue.run(() => Promise.resolve(order.push("second")));
  gate.resolve();
  await assertRejects(() => first, Error, "first failed");
  assertEquals(queue.isIdle, false);
  await second;
  assertEquals(queue.isIdle, true);
  assertEquals(order, ["first", "second"]);
});

Deno.test("Semaphore lets at most its slots run at once", async () => {
  const semaphore = new Semaphore(2);
  let running = 0;
  let most = 0;
  const task = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
  };
  await Promise.all(Array.from({ length: 9 }, () => semaphore.run(task)));
  assertEquals([most, running], [2, 0]);
  assertThrows(() => new Semaphore(0), Error, "0 slots");
});
