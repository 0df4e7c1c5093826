import { assertEquals } from "@std/assert";
import { Contexts } from "./contexts.ts";

Deno.test("values are delivered in a later turn, in order, to their own target", async () => {
  const contexts = new Contexts<number>();
  const seen: [string, number][] = [];
  const a = contexts.add((value) => seen.push(["a", value]));
  const b = contexts.add((value) => seen.push(["b", value]));
  contexts.deliver(a, 1);
  contexts.deliver(b, 2);
  contexts.deliver(a, 3);
  assertEquals(seen, []);
  await Promise.resolve();
  assertEquals(seen, [["a", 1], ["b", 2], ["a", 3]]);
});

Deno.test("what comes for a forgotten or unknown context is dropped; no context is used twice", async () => {
  const contexts = new Contexts<number>();
  const seen: number[] = [];
  const first = contexts.add((value) => seen.push(value));
  contexts.deliver(first, 1);
  contexts.remove(first);
  contexts.deliver(99n, 2);
  const second = contexts.add((value) => seen.push(value));
  contexts.deliver(first, 3);
  await Promise.resolve();
  assertEquals(seen, []);
  assertEquals([contexts.has(first), contexts.has(second)], [false, true]);
  assertEquals(first === second, false);
});
