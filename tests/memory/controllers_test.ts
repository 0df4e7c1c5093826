/**
 * The controllers over many containers and processes: what a long life of a shim
 * costs. Needs `--v8-flags=--expose-gc`, with which the suite runs.
 */

import { assertEquals } from "@std/assert";
import { exec, go, Life } from "../faults/life.ts";

/** Bytes that the heap may grow by, however often something is repeated. */
const budget = 1024 * 1024;

/** Rounds after which everything is compiled, and every buffer has its size. */
const warmUp = 0.1;

/** Bytes in use after everything that nobody holds has gone. */
async function heap(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new TypeError("Run with --v8-flags=--expose-gc");
  for (let round = 0; round < 3; round++) {
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    gc();
  }
  return Deno.memoryUsage().heapUsed;
}

/** Repeats something, and says by how many bytes the heap has grown. */
async function growth(
  rounds: number,
  round: () => Promise<void>,
): Promise<number> {
  const warm = Math.floor(rounds * warmUp);
  for (let n = 0; n < warm; n++) await round();
  const before = await heap();
  for (let n = warm; n < rounds; n++) await round();
  return await heap() - before;
}

const client = new AbortController().signal;

/** A pod in a running VM. */
async function started(): Promise<Life> {
  const life = new Life();
  await life.wait((signal) => go(life, signal, "create VM", "start VM"));
  return life;
}

async function end(life: Life): Promise<void> {
  await life.wait((signal) => go(life, signal, "stop VM"));
  assertEquals([life.host.held, life.clock.sleepers], [[], 0]);
}

Deno.test("10,000 pods with a container come and go in flat memory", async () => {
  const life = await started();
  const grown = await growth(10_000, async () => {
    await go(
      life,
      client,
      "create pod",
      "create container",
      "start container",
      "stop container",
      "delete container", // checks that VM and controllers hold nothing
    );
    life.host.forget();
  });
  console.log(`10,000 containers: the heap has grown by ${grown} bytes`);
  assertEquals(grown < budget, true, `${grown} bytes`);
  await end(life);
});

Deno.test("100,000 execs come and go in flat memory", async () => {
  const atOnce = 20;
  const life = await started();
  await go(life, client, "create pod", "create container", "start container");
  const ids = Array.from({ length: atOnce }, (_, n) => `exec-${n}`);
  const grown = await growth(100_000 / atOnce, async () => {
    await Promise.all(ids.map((id) => exec(life, client, id)));
    life.host.forget();
  });
  console.log(`100,000 execs: the heap has grown by ${grown} bytes`);
  assertEquals(grown < budget, true, `${grown} bytes`);
  await go(life, client, "stop container", "delete container");
  await end(life);
});
