import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { classify, ShimError } from "../../../base/errors.ts";
import { ScsiController } from "./controller.ts";
import { disk, injected, layer, peers, said, whole } from "./testing.ts";

Deno.test("host:E40 host:E46 host:E47 a controller has 64 slots per SCSI controller", async () => {
  const scsi = new ScsiController(peers(), 1);
  assertEquals(scsi.capacity, 64);
  for (let index = 0; index < 64; index++) {
    await scsi.reserve(disk(index), whole);
  }
  const full = await assertRejects(
    () => scsi.reserve(disk(64), whole),
    ShimError,
    "no available SCSI slots (64 of 64 in use)",
  );
  assertEquals(classify(full), "ResourceExhausted");
  assertEquals(new ScsiController(peers()).capacity, 256);
});

Deno.test("host:E41 host:E42 host:E43 host:E44 host:E45 reserve() shares disks and partitions", async () => {
  const scsi = new ScsiController(peers());
  const ids = [
    await scsi.reserve(layer, whole),
    await scsi.reserve(layer, whole),
    await scsi.reserve(layer, { ...whole, partition: 1 }),
    await scsi.reserve(disk(1), whole),
  ];
  assertEquals(new Set(ids).size, 4);
  assertEquals(scsi.disks.map(({ address }) => address.lun), [0, 1]);
  assertEquals(scsi.disks[0]?.mounts.get(0)?.references, 2);
  assertEquals(scsi.disks[0]?.mounts.size, 2);
  const refused = await assertRejects(
    () => scsi.reserve({ ...layer, readOnly: false }, whole),
    ShimError,
    'disk "C:\\layer.vhd" with different config',
  );
  assertEquals(classify(refused), "AlreadyExists");
});

Deno.test("host:E48 host:E52 map() is idempotent", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  assertEquals(await scsi.map(id), "/run/mounts/scsi/0_0_0");
  assertEquals(await scsi.map(id), "/run/mounts/scsi/0_0_0");
  assertEquals(said(world), ["vm Add", "guest Add MappedVirtualDisk"]);
});

Deno.test("host:E49 host:E54 unknown reservations are not found", async () => {
  const scsi = new ScsiController(peers());
  for (const call of ["map", "unmap"] as const) {
    const error = await assertRejects(
      async () => await scsi[call]("nobody"),
      ShimError,
      "SCSI reservation nobody not found",
    );
    assertEquals(classify(error), "NotFound");
  }
});

Deno.test("host:E50 host:E60 map() whose attach fails leaves a slot that unmap() frees", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  world.vm.script.failNext("modify", injected);
  await assertRejects(() => scsi.map(id), ShimError, "injected");
  await scsi.unmap(id);
  assertEquals(scsi.disks, []);
  assertEquals(
    await scsi.map(await scsi.reserve(layer, whole)),
    "/run/mounts/scsi/0_0_0",
  );
});

Deno.test("host:E51 map() whose mount fails leaves a disk that unmap() detaches", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  world.guest.failNext("modify", injected);
  await assertRejects(() => scsi.map(id), ShimError, "injected");
  await scsi.unmap(id);
  assertEquals(scsi.disks, []);
  assertEquals(said(world), [
    "vm Add",
    "vm Remove",
    "guest Add MappedVirtualDisk",
    "guest Remove SCSIDevice",
  ]);
});

Deno.test("host:E53 host:E55 host:E59 unmap() frees the slot for the next disk", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  const first = await scsi.reserve(disk(1), whole);
  await scsi.map(first);
  await scsi.map(await scsi.reserve(disk(2), whole));
  await scsi.unmap(first);
  const third = await scsi.reserve(disk(3), whole);
  assertEquals(await scsi.map(third), "/run/mounts/scsi/0_0_0");
});

Deno.test("host:E56 host:E61 unmap() whose removal fails keeps the reservation for a retry", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  await scsi.map(id);
  world.vm.script.failNext("modify", injected);
  await assertRejects(() => scsi.unmap(id), ShimError, "injected");
  assertEquals(scsi.disks.length, 1);
  await scsi.unmap(id);
  assertEquals(scsi.disks, []);
  assertEquals(world.guest.callsOf("modify").length, 3); // no second unmount
});

Deno.test("host:E57 unmap() returns the guest's error and can be repeated", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  await scsi.map(id);
  world.guest.failNext("modify", injected);
  await assertRejects(() => scsi.unmap(id), ShimError, "injected");
  await scsi.unmap(id);
  assertEquals(scsi.disks, []);
});

Deno.test("host:E58 only the last of two reservations detaches", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  const ids = [
    await scsi.reserve(layer, whole),
    await scsi.reserve(layer, whole),
  ];
  for (const id of ids) await scsi.map(id);
  await scsi.unmap(ids[0]!);
  assertEquals(said(world).length, 2);
  await scsi.unmap(ids[1]!);
  assertEquals(scsi.disks, []);
});

Deno.test("two reservations of a disk that cannot be attached are both given back", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  const ids = [
    await scsi.reserve(layer, whole),
    await scsi.reserve(layer, { ...whole, partition: 1 }),
  ];
  world.vm.script.failNext("modify", injected);
  const results = await Promise.allSettled(ids.map((id) => scsi.map(id)));
  assertEquals(results.map(({ status }) => status), ["rejected", "rejected"]);
  for (const id of ids) await scsi.unmap(id);
  assertEquals(scsi.disks, []);
});

Deno.test("a reservation that was never mapped frees its slot", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  await scsi.unmap(await scsi.reserve(layer, whole));
  assertEquals([scsi.disks, said(world)], [[], []]);
});

Deno.test("unmap() twice at once gives back once", async () => {
  const scsi = new ScsiController(peers());
  const id = await scsi.reserve(layer, whole);
  await scsi.map(id);
  const results = await Promise.allSettled([scsi.unmap(id), scsi.unmap(id)]);
  assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected"]);
});

Deno.test("reserve() waits while the disk is taken away, and attaches it anew", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  await scsi.map(id);
  const release = world.vm.script.holdNext("modify");
  const unmapped = scsi.unmap(id);
  const again = scsi.reserve(layer, whole);
  release();
  await unmapped;
  assertEquals(await scsi.map(await again), "/run/mounts/scsi/0_0_0");
  assertEquals(world.vm.script.of("modify").length, 3);
});

Deno.test("disks are attached side by side", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  const ids = [
    await scsi.reserve(disk(1), whole),
    await scsi.reserve(disk(2), whole),
  ];
  const release = world.vm.script.holdNext("modify");
  const slow = scsi.map(ids[0]!);
  assertEquals(await scsi.map(ids[1]!), "/run/mounts/scsi/0_1_0");
  release();
  await slow;
});

Deno.test("host:E62 host:E63 host:E64 reserveRootfs() takes a given slot once", () => {
  const scsi = new ScsiController(peers(), 1);
  scsi.reserveRootfs(0, 5, layer);
  assertEquals(scsi.disks[0]?.address, { controller: 0, lun: 5 });
  assertThrows(() => scsi.reserveRootfs(1, 0, disk(1)), ShimError);
  assertThrows(() => scsi.reserveRootfs(0, 64, disk(1)), ShimError);
  assertThrows(
    () => scsi.reserveRootfs(0, 5, disk(1)),
    ShimError,
    "SCSI slot 0:5 holds disk",
  );
});

Deno.test("the root disk can be mounted, and is never attached or taken away", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  scsi.reserveRootfs(0, 0, layer);
  const id = await scsi.reserve(layer, whole);
  assertEquals(await scsi.map(id), "/run/mounts/scsi/0_0_0");
  await scsi.unmap(id);
  assertEquals(world.vm.script.calls, []);
  assertEquals(scsi.disks.length, 1);
});

Deno.test("map() ends between two steps when its signal aborts", async () => {
  const world = peers();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  const gone = AbortSignal.abort(new ShimError("Canceled", "nobody waits"));
  await assertRejects(() => scsi.map(id, gone), ShimError, "nobody waits");
  await scsi.unmap(id);
  assertEquals([scsi.disks, said(world)], [[], []]);
});
