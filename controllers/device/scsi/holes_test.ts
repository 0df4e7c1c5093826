import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { bridgeClosed } from "../../../bridge/errors.ts";
import { DeviceWorld } from "../../testing/device_world.ts";
import { ScsiController } from "./controller.ts";
import { disk, injected, layer, whole } from "./testing.ts";

const path = "/run/mounts/scsi/0_0_0";

Deno.test("a reservation that was never mapped frees its slot and its path", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  await scsi.unmap(await scsi.reserve(layer, whole)); // the peer leaks both
  assertEquals([scsi.disks, scsi.reservations, world.said], [[], 0, []]);
  await scsi.reserve({ ...layer, readOnly: false }, whole);
});

Deno.test("two reservations of a disk that cannot be attached are both given back", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const ids = [
    await scsi.reserve(layer, whole),
    await scsi.reserve(layer, { ...whole, partition: 1 }),
  ];
  world.script.failNext("vm", injected);
  const results = await Promise.allSettled(ids.map((id) => scsi.map(id)));
  assertEquals(results.map(({ status }) => status), ["rejected", "rejected"]);
  for (const id of ids) await scsi.unmap(id); // the peer crashes at the second
  assertEquals([scsi.disks, scsi.reservations], [[], 0]);
});

Deno.test("the disk that the VM boots from can be mounted, and is never attached or taken away", async () => {
  const world = new DeviceWorld();
  world.bootFrom("disk 0:0");
  const scsi = new ScsiController(world);
  scsi.reserveRootfs(0, 0, layer);
  assertEquals(scsi.disks[0]?.state, "Attached"); // the peer attaches it again
  const id = await scsi.reserve(layer, whole);
  assertEquals(await scsi.map(id), path);
  await scsi.unmap(id);
  assertEquals(world.said, [`guest Add ${path}`, `guest Remove ${path}`]);
  assertEquals(scsi.disks.length, 1);
});

Deno.test("of two holders whose eject failed, the second does not free the slot of the next disk", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const mapped = await scsi.reserve(layer, { ...whole, partition: 1 });
  await scsi.map(mapped);
  const first = await scsi.reserve(layer, whole);
  await scsi.unmap(mapped);
  await unmapUpToEject(scsi, world, first);
  const second = await scsi.reserve(layer, whole); // it is attached still
  await unmapUpToEject(scsi, world, second);
  await scsi.unmap(first);
  await scsi.reserve(disk(7), whole); // takes the slot
  await scsi.unmap(second);
  assertEquals(scsi.disks.map(({ config }) => config), [disk(7)]);
  assertEquals(scsi.reservations, 1);
});

/** Gives a reservation back that was never mapped; the eject fails. */
async function unmapUpToEject(
  scsi: ScsiController,
  world: DeviceWorld,
  id: string,
): Promise<void> {
  world.script.failNext("guest", injected);
  await assertRejects(() => scsi.unmap(id), ShimError, "injected");
}

Deno.test("a map() behind the unmap() of the same reservation attaches nothing", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  const unmapped = scsi.unmap(id);
  await assertRejects(() => scsi.map(id), ShimError, "not found");
  await unmapped;
  assertEquals([scsi.disks, world.said], [[], []]);
});

Deno.test("unmap() twice at once gives back once", async () => {
  const scsi = new ScsiController(new DeviceWorld());
  const id = await scsi.reserve(layer, whole);
  await scsi.map(id);
  const results = await Promise.allSettled([scsi.unmap(id), scsi.unmap(id)]);
  assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected"]);
});

Deno.test("reserve() waits while the disk is taken away, and attaches it anew", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  await scsi.map(id);
  const release = world.script.holdNext("vm");
  const unmapped = scsi.unmap(id);
  const again = scsi.reserve(layer, whole);
  release();
  await unmapped;
  assertEquals(await scsi.map(await again), path);
  assertEquals(world.script.of("vm").length, 3);
});

Deno.test("disks are attached side by side, and readers do not wait", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const first = await scsi.reserve(disk(1), whole);
  const second = await scsi.reserve(disk(2), whole);
  const release = world.script.holdNext("vm");
  const slow = scsi.map(first);
  assertEquals(await scsi.map(second), "/run/mounts/scsi/0_1_0");
  assertEquals(scsi.disks.map(({ state }) => state), ["Reserved", "Attached"]);
  release();
  await slow;
});

Deno.test("map() ends between two steps when its signal aborts", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  const caller = new AbortController();
  const release = world.script.holdNext("vm");
  const mapped = scsi.map(id, caller.signal);
  await world.reached("vm Add disk 0:0");
  caller.abort(new ShimError("Canceled", "nobody waits"));
  release();
  await assertRejects(() => mapped, ShimError, "nobody waits");
  assertEquals(world.script.of("guest"), []);
  await scsi.unmap(id);
  assertEquals([scsi.disks, world.isEmpty], [[], true]);
});

Deno.test("unmap() takes the disk from the VM when the guest is lost", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  await scsi.map(id);
  for (let call = 0; call < 2; call++) {
    world.script.failNext("guest", bridgeClosed("Cannot call ModifySettings"));
  }
  await scsi.unmap(id);
  assertEquals(world.said.at(-1), "vm Remove disk 0:0");
  assertEquals([scsi.disks, scsi.reservations, world.isEmpty], [[], 0, true]);
});
