/**
 * The controllers over many containers and processes: what a long life of a shim
 * costs.
 */

import { assertEquals } from "@std/assert";
import { exec, go, Life } from "../faults/life.ts";
import { budget, growth } from "./heap.ts";

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
