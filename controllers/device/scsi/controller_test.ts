import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { classify, ShimError } from "../../../base/errors.ts";
import { DeviceWorld } from "../../testing/device_world.ts";
import { ScsiController } from "./controller.ts";
import { disk, injected, layer, whole } from "./testing.ts";

const path = "/run/mounts/scsi/0_0_0";

Deno.test("host:E40 host:E46 host:E47 a controller has 64 slots per SCSI controller, and all can be filled", async () => {
  const scsi = new ScsiController(new DeviceWorld(), 1);
  assertEquals(scsi.capacity, 64);
  for (let index = 0; index < 64; index++) {
    await scsi.reserve(disk(index), whole);
  }
  assertEquals(
    scsi.disks.map(({ address }) => address.lun),
    Array.from({ length: 64 }, (_, lun) => lun),
  );
  const full = await assertRejects(
    () => scsi.reserve(disk(64), whole),
    ShimError,
    "no available SCSI slots (64 of 64 in use)",
  );
  assertEquals(classify(full), "ResourceExhausted");
  assertEquals(scsi.reservations, 64); // nothing remains of the refused one
  assertEquals(new ScsiController(new DeviceWorld()).capacity, 256);
});

Deno.test("host:E41 host:E45 reserve() gives ids of their own, and each disk a slot of its own", async () => {
  const scsi = new ScsiController(new DeviceWorld());
  const ids = new Set<string>();
  for (let index = 0; index < 65; index++) {
    ids.add(await scsi.reserve(disk(index), whole));
  }
  assertEquals(ids.size, 65);
  assertEquals(scsi.disks.map(({ address }) => address).slice(63), [
    { controller: 0, lun: 63 },
    { controller: 1, lun: 0 },
  ]);
});

Deno.test("host:E42 host:E43 reservations share a disk, and the mounts of its partitions", async () => {
  const scsi = new ScsiController(new DeviceWorld());
  await scsi.reserve(layer, whole);
  await scsi.reserve(layer, whole);
  await scsi.reserve(layer, { ...whole, partition: 1 });
  assertEquals(scsi.disks.length, 1);
  assertEquals(
    [...scsi.disks[0]?.mounts ?? []].map(([partition, { references }]) => [
      partition,
      references,
    ]),
    [[0, 2], [1, 1]],
  );
});

Deno.test("host:E44 a disk in use in another way is refused, and nothing remains", async () => {
  const scsi = new ScsiController(new DeviceWorld());
  await scsi.reserve(layer, whole);
  const disks = await assertRejects(
    () => scsi.reserve({ ...layer, readOnly: false }, whole),
    ShimError,
    'disk "C:\\layer.vhd" with different config',
  );
  const mounts = await assertRejects(
    () => scsi.reserve(layer, { ...whole, blockDev: true }),
    ShimError,
    "with different config",
  );
  assertEquals([disks.code, mounts.code], ["AlreadyExists", "AlreadyExists"]);
  assertEquals([scsi.disks.length, scsi.reservations], [1, 1]);
});

Deno.test("host:E48 host:E52 map() gives the path in the guest, and calls nobody the second time", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  assertEquals([await scsi.map(id), await scsi.map(id)], [path, path]);
  assertEquals(world.said, ["vm Add disk 0:0", `guest Add ${path}`]);
});

Deno.test("host:E49 host:E54 unknown reservations are not found", async () => {
  const scsi = new ScsiController(new DeviceWorld());
  for (const call of ["map", "unmap"] as const) {
    const error = await assertRejects(
      () => scsi[call]("nobody"),
      ShimError,
      "SCSI reservation nobody not found",
    );
    assertEquals(classify(error), "NotFound");
  }
});

Deno.test("host:E50 host:E60 map() whose attach fails leaves a slot that unmap() frees", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  world.script.failNext("vm", injected);
  assertEquals(await scsi.map(id).catch((error) => error), injected);
  await scsi.unmap(id);
  assertEquals([scsi.disks, world.said], [[], ["vm Add disk 0:0"]]);
  assertEquals(await scsi.map(await scsi.reserve(layer, whole)), path);
});

Deno.test("host:E51 map() whose mount fails leaves a disk that unmap() detaches", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  world.script.failNext("guest", injected);
  assertEquals(await scsi.map(id).catch((error) => error), injected);
  await assertRejects(() => scsi.map(id), ShimError, "it is Unmounted");
  await scsi.unmap(id);
  assertEquals([scsi.disks, world.isEmpty], [[], true]);
  assertEquals(world.said, [
    "vm Add disk 0:0",
    `guest Add ${path}`,
    "guest Remove disk 0:0",
    "vm Remove disk 0:0",
  ]);
});

Deno.test("host:E53 host:E55 host:E59 unmap() unmounts, ejects and removes, and the next disk gets the slot", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const first = await scsi.reserve(disk(1), whole);
  await scsi.map(first);
  await scsi.reserve(disk(2), whole);
  await scsi.unmap(first);
  assertEquals(world.said.slice(2), [
    `guest Remove ${path}`,
    "guest Remove disk 0:0",
    "vm Remove disk 0:0",
  ]);
  assertEquals(scsi.disks.map(({ address }) => address.lun), [1]);
  assertEquals(await scsi.map(await scsi.reserve(disk(3), whole)), path);
});

Deno.test("host:E56 host:E61 unmap() whose removal fails keeps the reservation for a retry", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  await scsi.map(id);
  world.script.failNext("vm", injected);
  assertEquals(await scsi.unmap(id).catch((error) => error), injected);
  assertEquals([scsi.disks.length, scsi.reservations], [1, 1]);
  await assertRejects(() => scsi.map(id), ShimError, "is being given back");
  await scsi.unmap(id);
  assertEquals([scsi.disks.length, scsi.reservations], [0, 0]);
  assertEquals(world.script.of("guest").length, 3); // no second unmount, no second eject
});

Deno.test("host:E57 unmap() returns the guest's error and can be repeated", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const id = await scsi.reserve(layer, whole);
  await scsi.map(id);
  world.script.failNext("guest", injected);
  assertEquals(await scsi.unmap(id).catch((error) => error), injected);
  assertEquals(await scsi.map(id), path); // it still has it
  await scsi.unmap(id);
  assertEquals([scsi.disks, world.isEmpty], [[], true]);
});

Deno.test("host:E58 only the last of two reservations detaches", async () => {
  const world = new DeviceWorld();
  const scsi = new ScsiController(world);
  const first = await scsi.reserve(layer, whole);
  const second = await scsi.reserve(layer, whole);
  for (const id of [first, second]) await scsi.map(id);
  await scsi.unmap(first);
  assertEquals(world.said.length, 2);
  await scsi.unmap(second);
  assertEquals([world.said.length, world.isEmpty], [5, true]);
});

Deno.test("host:E62 host:E63 host:E64 reserveRootfs() takes a given slot once", async () => {
  const scsi = new ScsiController(new DeviceWorld(), 1);
  scsi.reserveRootfs(0, 5, layer);
  assertEquals(scsi.disks[0]?.address, { controller: 0, lun: 5 });
  for (const [controller, lun] of [[1, 0], [-1, 0], [0, 64], [0, -1]]) {
    const error = assertThrows(
      () => scsi.reserveRootfs(controller!, lun!, disk(1)),
      ShimError,
      `SCSI slot ${controller}:${lun} does not exist`,
    );
    assertEquals(error.code, "InvalidArgument");
  }
  const taken = assertThrows(
    () => scsi.reserveRootfs(0, 5, disk(1)),
    ShimError,
    "SCSI slot 0:5 holds disk",
  );
  assertEquals(taken.code, "AlreadyExists");
  for (let index = 0; index < 63; index++) {
    await scsi.reserve(disk(index), whole);
  }
  assertEquals(scsi.disks[5]?.config, layer); // nobody else got its slot
});
