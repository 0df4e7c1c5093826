import { assertEquals, assertRejects } from "@std/assert";
import { abortable, deadline, FakeClock, systemClock } from "./clock.ts";

Deno.test("FakeClock wakes sleepers in the order of their times", async () => {
  const clock = new FakeClock(0);
  const order: number[] = [];
  const all = [30, 10, 20].map((ms) =>
    clock.sleep(ms).then(() => order.push(ms))
  );
  await clock.advance(25);
  assertEquals(order, [10, 20]);
  assertEquals([clock.now(), clock.sleepers], [25, 1]);
  await clock.advance(5);
  await Promise.all(all);
});

Deno.test("sleep() ends early with the reason of its signal", async () => {
  for (const clock of [new FakeClock(), systemClock]) {
    const abort = new AbortController();
    const slept = clock.sleep(1_000_000, abort.signal);
    abort.abort(new Error("enough"));
    await assertRejects(() => slept, Error, "enough");
    await assertRejects(() => clock.sleep(1, abort.signal), Error, "enough");
  }
});

Deno.test("sleep() does not end early when the time is longer than a timer", async () => {
  const abort = new AbortController();
  const slept = systemClock.sleep(0xfffffffe, abort.signal);
  slept.catch(() => {});
  await systemClock.sleep(20);
  abort.abort(new Error("still asleep"));
  await assertRejects(() => slept, Error, "still asleep");
});

Deno.test("deadline() ends a task that does not listen to its signal", async () => {
  const clock = new FakeClock();
  const never = deadline(clock, 100, "The answer", () => new Promise(() => {}));
  const rejected = assertRejects(
    () => never,
    DOMException,
    "The answer took longer than 100 ms",
  );
  await clock.advance(100);
  assertEquals((await rejected).name, "TimeoutError");
});

Deno.test("deadline() gives the result and stops its timer", async () => {
  const clock = new FakeClock();
  assertEquals(await deadline(clock, 100, "x", () => Promise.resolve(7)), 7);
  assertEquals(clock.sleepers, 0);
});

Deno.test("deadline() passes the caller's abort on", async () => {
  const abort = new AbortController();
  const task = deadline(
    new FakeClock(),
    100,
    "x",
    (signal) => abortable(new Promise(() => {}), signal),
    abort.signal,
  );
  abort.abort(new Error("client left"));
  await assertRejects(() => task, Error, "client left");
});

Deno.test("FakeClock lets run what the test says, after every sleeper", async () => {
  let settled = 0;
  const clock = new FakeClock(0, () => Promise.resolve(void settled++));
  const all = [clock.sleep(10), clock.sleep(20)];
  await clock.advance(15);
  assertEquals([settled, clock.sleepers], [2, 1]);
  await clock.advance(5);
  await Promise.all(all);
});
