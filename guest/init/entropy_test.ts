import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { memoryPair } from "../../base/duplex.ts";
import { takeEntropy } from "./entropy.ts";

Deno.test("takeEntropy() adds all bytes up to the end", async () => {
  const [near, far] = memoryPair();
  const added: number[][] = [];
  const taken = takeEntropy(1, {
    dial: () => Promise.resolve(near),
    add: (bytes) => added.push([...bytes]),
    clock: new FakeClock(),
  });
  await far.write(new Uint8Array([1, 2]));
  await far.write(new Uint8Array([3]));
  await far.closeWrite();
  assertEquals(await taken, 3);
  assertEquals(added, [[1, 2, 3]]);
});

Deno.test("takeEntropy() adds nothing when the host sends nothing", async () => {
  const [near, far] = memoryPair();
  await far.closeWrite();
  const taken = await takeEntropy(1, {
    dial: () => Promise.resolve(near),
    add: () => {
      throw new Error("added");
    },
    clock: new FakeClock(),
  });
  assertEquals(taken, 0);
});

Deno.test("takeEntropy() gives a silent host up and closes its stream", async () => {
  const [near, far] = memoryPair();
  const clock = new FakeClock();
  const taken = takeEntropy(1, {
    dial: () => Promise.resolve(near),
    add: () => {},
    clock,
  });
  const failed = assertRejects(() => taken, DOMException, "entropy");
  await clock.advance(5_000);
  await failed;
  assertEquals(await far.read(new Uint8Array(1)), null);
});

Deno.test("takeEntropy() gives a host up that is not reached, and closes what comes late", async () => {
  const [near, far] = memoryPair();
  const clock = new FakeClock();
  const { promise, resolve } = Promise.withResolvers<typeof near>();
  const taken = takeEntropy(1, { dial: () => promise, add: () => {}, clock });
  const failed = assertRejects(() => taken, DOMException, "entropy");
  await clock.advance(5_000);
  await failed;
  resolve(near);
  assertEquals(await far.read(new Uint8Array(1)), null);
});
