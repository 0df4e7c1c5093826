import { assertEquals, assertRejects } from "@std/assert";
import { classify, ShimError } from "../../../base/errors.ts";
import { bridgeClosed } from "../../../bridge/errors.ts";
import { DeviceWorld } from "../../testing/device_world.ts";
import { Plan9Controller } from "./controller.ts";
import { data, file, injected, readOnly, writable } from "./testing.ts";

Deno.test("unknown reservations are not found, nor is one that was given back", async () => {
  const plan9 = new Plan9Controller(new DeviceWorld());
  const id = await plan9.reserve(data, writable);
  const results = await Promise.allSettled([plan9.unmap(id), plan9.unmap(id)]);
  assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected"]);
  for (const call of ["map", "unmap"] as const) {
    const error = await assertRejects(
      () => plan9[call](id),
      ShimError,
      `Plan9 reservation ${id} not found`,
    );
    assertEquals(classify(error), "NotFound");
  }
});

Deno.test("reserve() waits while the share is taken away, and readers do not", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const id = await plan9.reserve(data, writable);
  await plan9.map(id);
  const release = world.script.holdNext("vm");
  const unmapped = plan9.unmap(id);
  await world.reached("vm Remove share 0");
  const again = plan9.reserve(data, writable);
  await plan9.map(await plan9.reserve(file, readOnly)); // side by side
  assertEquals(plan9.shares.map(({ name }) => name), ["0", "1"]);
  release();
  await unmapped;
  assertEquals(await plan9.map(await again), "/run/mounts/plan9/2");
});

Deno.test("map() ends between two steps when its signal aborts", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const id = await plan9.reserve(data, writable);
  const caller = new AbortController();
  const release = world.script.holdNext("vm");
  const mapped = plan9.map(id, caller.signal);
  await world.reached("vm Add share 0");
  caller.abort(new ShimError("Canceled", "nobody waits"));
  release();
  await assertRejects(() => mapped, ShimError, "nobody waits");
  assertEquals(world.script.of("guest"), []);
  await plan9.unmap(id);
  assertEquals([plan9.shares, world.isEmpty], [[], true]);
});

Deno.test("unmap() has the host remove the share when the guest is lost", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const id = await plan9.reserve(data, writable);
  await plan9.map(id);
  world.script.failNext("guest", bridgeClosed("Cannot call ModifySettings"));
  await plan9.unmap(id);
  assertEquals(world.said.at(-1), "vm Remove share 0");
  assertEquals([plan9.shares, plan9.reservations], [[], 0]);
});

Deno.test("of two holders whose removal failed, the second does not forget the next share of the path", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const ids: string[] = [];
  for (let holder = 0; holder < 2; holder++) {
    const id = await plan9.reserve(data, writable); // it is added still
    await plan9.map(id);
    world.script.failNext("vm", injected);
    await assertRejects(() => plan9.unmap(id), ShimError, "injected");
    ids.push(id);
  }
  await plan9.unmap(ids[0]!);
  await plan9.reserve(data, writable);
  await plan9.unmap(ids[1]!);
  assertEquals(plan9.shares.map(({ name }) => name), ["1"]);
});
