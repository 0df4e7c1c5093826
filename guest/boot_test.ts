import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { podMemory, PodMemoryLimit } from "./boot.ts";

/** `/proc/meminfo` of a VM with this much memory. */
function meminfo(kib: bigint): string {
  return `MemTotal:  ${kib} kB\nMemFree: 1 kB\n`;
}

const kib = 1024n;

Deno.test("guest:D5 all pods get the memory without the reserve, when there is more than that", () => {
  assertEquals(podMemory(meminfo(4096n), 1024n * kib), 3072n * kib);
  for (const total of [1024n, 1023n, 0n]) {
    assertThrows(
      () => podMemory(meminfo(total), 1024n * kib),
      Error,
      "must be greater",
    );
  }
  assertThrows(() => podMemory("", 0n), Error, "must be greater");
  const most = 2n ** 63n;
  assertThrows(
    () => podMemory(meminfo(most / kib), 0n),
    Error,
    "exceeds maximum",
  );
  assertEquals(podMemory(meminfo(most / kib), 1n), most - 1n);
});

Deno.test("guest:D6 a limit is applied when it changes, and only then", async () => {
  const applied: [path: string, limit: bigint][] = [];
  let total = 4096n;
  const limitMemory = (path: string, limit: bigint): Promise<void> => {
    applied.push([path, limit]);
    return Promise.resolve();
  };
  const limit = new PodMemoryLimit(
    { cgroups: { limitMemory } as never, reserve: 1024n * kib },
    () => Promise.resolve(meminfo(total)),
  );
  const first = 3072n * kib;
  assertEquals(await limit.refresh(), { limit: first, isChanged: true });
  assertEquals(await limit.refresh(), { limit: first, isChanged: false });
  assertEquals(applied, [["/pods", first]]);
  total = 2048n;
  const second = 1024n * kib;
  assertEquals(await limit.refresh(), { limit: second, isChanged: true });
  assertEquals(applied.length, 2);
});

Deno.test("a limit that could not be applied is applied by the next refresh", async () => {
  let isBroken = true;
  const limitMemory = (): Promise<void> =>
    isBroken ? Promise.reject(new Error("busy")) : Promise.resolve();
  const limit = new PodMemoryLimit(
    { cgroups: { limitMemory } as never, reserve: 0n },
    () => Promise.resolve(meminfo(1n)),
  );
  await assertRejects(() => limit.refresh(), Error, "busy");
  isBroken = false;
  assertEquals((await limit.refresh()).isChanged, true);
});
