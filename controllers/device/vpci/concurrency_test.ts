import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { DeviceWorld } from "../../testing/device_world.ts";
import { VpciController } from "./controller.ts";
import { gpu, injected, partOfGpu } from "./testing.ts";

Deno.test("several reservations of a device that fails are all given back", async () => {
  for (const side of ["vm", "guest"] as const) {
    const world = new DeviceWorld();
    const vpci = new VpciController(world);
    const ids: string[] = [];
    for (let holder = 0; holder < 3; holder++) {
      ids.push(await vpci.reserve(gpu));
    }
    world.script.failNext(side, injected);
    const mapped = await Promise.allSettled(ids.map((id) => vpci.map(id)));
    assertEquals(new Set(mapped.map(({ status }) => status)).size, 1, side);
    for (const id of ids) await vpci.unmap(id);
    assertEquals([vpci.devices, vpci.reservations], [[], 0], side);
    assertEquals([world.isEmpty, world.objections], [true, []], side);
    await vpci.map(await vpci.reserve(gpu));
  }
});

Deno.test("reserve() waits while the device is taken back, and gets a new one", async () => {
  const world = new DeviceWorld();
  const vpci = new VpciController(world);
  const id = await vpci.reserve(gpu);
  const guid = await vpci.map(id);
  const release = world.script.holdNext("vm");
  const unmapped = vpci.unmap(id);
  await world.reached(`vm Remove device ${guid}`);
  const again = vpci.reserve(gpu);
  await vpci.map(await vpci.reserve(partOfGpu)); // side by side
  assertEquals(vpci.devices.map(({ state }) => state), ["Ready", "Ready"]);
  release();
  await unmapped;
  assertEquals(await vpci.map(await again) === guid, false);
});

Deno.test("unmap() twice at once gives back once", async () => {
  const vpci = new VpciController(new DeviceWorld());
  const id = await vpci.reserve(gpu);
  await vpci.map(id);
  const results = await Promise.allSettled([vpci.unmap(id), vpci.unmap(id)]);
  assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected"]);
});

Deno.test("a map() behind the unmap() of the same reservation assigns nothing", async () => {
  const world = new DeviceWorld();
  const vpci = new VpciController(world);
  const id = await vpci.reserve(gpu);
  const unmapped = vpci.unmap(id);
  await assertRejects(() => vpci.map(id), ShimError, "not found");
  await unmapped;
  assertEquals([vpci.devices, world.said], [[], []]);
});

Deno.test("map() that ended between its two steps is taken up by the next one", async () => {
  const world = new DeviceWorld();
  const vpci = new VpciController(world);
  const first = await vpci.reserve(gpu);
  const second = await vpci.reserve(gpu);
  const { guid } = vpci.devices[0]!;
  const caller = new AbortController();
  const release = world.script.holdNext("vm");
  const mapped = vpci.map(first, caller.signal);
  await world.reached(`vm Add device ${guid}`);
  caller.abort(new ShimError("Canceled", "nobody waits"));
  release();
  await assertRejects(() => mapped, ShimError, "nobody waits");
  assertEquals(vpci.devices[0]?.state, "Assigned");
  assertEquals(await vpci.map(second), guid);
  assertEquals(world.said, [`vm Add device ${guid}`, `guest Add ${guid}`]);
  for (const id of [first, second]) await vpci.unmap(id);
  assertEquals([vpci.devices, world.isEmpty], [[], true]);
});

Deno.test("a device that could not be assigned stays with its last holder", async () => {
  const world = new DeviceWorld();
  const vpci = new VpciController(world);
  const first = await vpci.reserve(gpu);
  const second = await vpci.reserve(gpu);
  const { guid } = vpci.devices[0]!;
  world.script.failNext("vm", injected);
  await assertRejects(() => vpci.map(first), ShimError, "injected");
  await vpci.unmap(first);
  const third = await vpci.reserve(gpu);
  assertEquals(vpci.devices.map((device) => device.guid), [guid]);
  for (const id of [second, third]) await vpci.unmap(id);
  assertEquals([vpci.devices, world.said.length], [[], 1]);
});
