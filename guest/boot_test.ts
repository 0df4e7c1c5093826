import { assertEquals, assertThrows } from "@std/assert";
import { podMemory } from "./boot.ts";

Deno.test("podMemory() leaves the reserve to the VM", () => {
  assertEquals(
    podMemory("MemTotal:  1024 kB\nMemFree: 1 kB\n", 48576n),
    1000000n,
  );
});

Deno.test("podMemory() refuses a reserve that leaves nothing", () => {
  const meminfo = "MemTotal:  1024 kB\n";
  assertThrows(() => podMemory(meminfo, 1048576n), Error, "must be greater");
  assertThrows(() => podMemory("", 0n), Error, "must be greater");
});
