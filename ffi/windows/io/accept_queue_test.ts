import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type Duplex, memoryPair } from "../../../base/duplex.ts";
import { ShimError } from "../../../base/errors.ts";
import { AcceptQueue } from "./accept_queue.ts";

/** A stream that says when it is closed. */
function stream(): Duplex & { closes: number } {
  const [end] = memoryPair();
  const counted = {
    ...end,
    closes: 0,
    close: () => {
      counted.closes++;
      return end.close();
    },
  };
  return counted;
}

Deno.test("connections are handed out in order, to those who wait in order", async () => {
  const queue = new AcceptQueue("pipe");
  const streams = [stream(), stream(), stream(), stream()] as const;
  queue.push(streams[0]);
  queue.push(streams[1]);
  assertEquals([queue.size, queue.wanted], [2, false]);
  assertStrictEquals(await queue.take(), streams[0]);
  assertStrictEquals(await queue.take(), streams[1]);
  const waits = [queue.take(), queue.take()];
  assertEquals([queue.size, queue.wanted], [0, true]);
  queue.push(streams[2]);
  queue.push(streams[3]);
  assertStrictEquals(await waits[0], streams[2]);
  assertStrictEquals(await waits[1], streams[3]);
  assertEquals([queue.size, queue.wanted], [0, false]);
});

Deno.test("an aborted wait rejects with its reason and takes nothing", async () => {
  const queue = new AcceptQueue("pipe");
  const controller = new AbortController();
  const reason = new ShimError("Canceled", "enough");
  const aborted = assertRejects(() => queue.take(controller.signal));
  const waits = queue.take();
  controller.abort(reason);
  assertStrictEquals(await aborted, reason);
  const first = stream();
  queue.push(first);
  assertStrictEquals(await waits, first);
  queue.push(first);
  assertStrictEquals(
    await assertRejects(() => queue.take(controller.signal)),
    reason,
  );
  assertEquals(queue.size, 1);
});

for (const order of ["abort, then push", "push, then abort"]) {
  Deno.test(`${order} in one turn: the connection is not lost`, async () => {
    const queue = new AcceptQueue("pipe");
    const controller = new AbortController();
    const come = stream();
    const taking = queue.take(controller.signal);
    const steps = [() => controller.abort(), () => queue.push(come)];
    if (order.startsWith("push")) steps.reverse();
    for (const step of steps) step();
    const taken = await taking.catch(() => undefined);
    // Either the wait got it, or the next one does.
    assertStrictEquals(taken ?? await queue.take(), come);
    assertEquals([queue.size, queue.wanted, come.closes], [0, false, 0]);
  });
}

Deno.test("a connection that an aborted wait got goes to the next one who waits", async () => {
  const queue = new AcceptQueue("pipe");
  const controller = new AbortController();
  const come = stream();
  const taking = queue.take(controller.signal);
  controller.abort();
  queue.push(come);
  const next = queue.take();
  await assertRejects(() => taking);
  assertStrictEquals(await next, come);
});

Deno.test("a connection that an aborted wait got is closed when the queue is closed", async () => {
  const queue = new AcceptQueue("pipe");
  const controller = new AbortController();
  const come = stream();
  const taking = queue.take(controller.signal);
  controller.abort();
  queue.push(come);
  await queue.close();
  await assertRejects(() => taking);
  assertEquals(come.closes, 1);
});

Deno.test("close() rejects all waits and closes what nobody took", async () => {
  const queue = new AcceptQueue('pipe "a"');
  const waits = [queue.take(), queue.take()].map((wait) =>
    assertRejects(() => wait, ShimError, 'Cannot accept: pipe "a" is closed')
  );
  await queue.close();
  for (const wait of waits) assertEquals((await wait).code, "Unavailable");
  const other = new AcceptQueue("pipe");
  const come = [stream(), stream()];
  for (const one of come) other.push(one);
  await other.close();
  await other.close();
  assertEquals(come.map(({ closes }) => closes), [1, 1]);
  assertEquals(other.size, 0);
});

Deno.test("after a close waits reject and connections are closed", async () => {
  const queue = new AcceptQueue("pipe");
  await queue.close();
  await assertRejects(() => queue.take(), ShimError, "is closed");
  const late = stream();
  queue.push(late);
  assertEquals([late.closes, queue.size], [1, 0]);
});

Deno.test("a failure is what all waits reject with, also when it is closed later", async () => {
  const queue = new AcceptQueue("pipe");
  const failure = new ShimError("ResourceExhausted", "no more pipes");
  const waiting = assertRejects(() => queue.take());
  await queue.close(failure);
  assertStrictEquals(await waiting, failure);
  await queue.close();
  assertStrictEquals(await assertRejects(() => queue.take()), failure);
});
