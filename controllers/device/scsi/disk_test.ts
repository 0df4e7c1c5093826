import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { DeviceWorld, gone } from "../../testing/device_world.ts";
import { sameDisk } from "./config.ts";
import { ScsiDisk } from "./disk.ts";
import { address, injected, layer, whole } from "./testing.ts";

/** An attached disk. */
async function attached(world: DeviceWorld): Promise<ScsiDisk> {
  const disk = new ScsiDisk(world, address, layer);
  await disk.attach();
  return disk;
}

/** A disk that could not be attached, with some partitions reserved. */
async function detached(
  world: DeviceWorld,
  ...partitions: number[]
): Promise<ScsiDisk> {
  const disk = new ScsiDisk(world, address, layer);
  for (const partition of partitions) disk.reserve({ ...whole, partition });
  world.script.failNext("vm", injected);
  await assertRejects(() => disk.attach(), ShimError, "injected");
  return disk;
}

Deno.test("host:E1 a new disk is Reserved and keeps its config", () => {
  const disk = new ScsiDisk(new DeviceWorld(), address, layer);
  assertEquals([disk.state, disk.config], ["Reserved", layer]);
});

Deno.test("host:E2 disks are equal by path, read-only flag, type and EVD type", () => {
  assert(sameDisk(layer, { ...layer, evdType: "" }));
  assert(!sameDisk(layer, { ...layer, hostPath: "c:\\layer.vhd" }));
  assert(!sameDisk(layer, { ...layer, readOnly: false }));
  assert(!sameDisk(layer, { ...layer, type: "PassThru" }));
  assert(!sameDisk(layer, { ...layer, evdType: "x" }));
});

Deno.test("host:E3 host:E5 attach() asks the host once", async () => {
  const world = new DeviceWorld();
  const disk = await attached(world);
  assertEquals([disk.state, world.said], ["Attached", ["vm Add disk 0:0"]]);
  await disk.attach();
  assertEquals([disk.state, world.said.length], ["Attached", 1]);
});

Deno.test("host:E4 host:E6 attach() that fails throws what the host said, and is final", async () => {
  const world = new DeviceWorld();
  const disk = new ScsiDisk(world, address, layer);
  world.script.failNext("vm", injected);
  assertEquals(await disk.attach().catch((error) => error), injected);
  assertEquals(disk.state, "Detached");
  await assertRejects(() => disk.attach(), ShimError, "it is Detached");
});

Deno.test("host:E7 detach() ejects in the guest, then removes on the host", async () => {
  const world = new DeviceWorld();
  const disk = await attached(world);
  await disk.detach();
  assertEquals(disk.state, "Detached");
  assertEquals(world.said, [
    "vm Add disk 0:0",
    "guest Remove disk 0:0",
    "vm Remove disk 0:0",
  ]);
});

Deno.test("host:E8 detach() whose eject fails stays Attached", async () => {
  const world = new DeviceWorld();
  const disk = await attached(world);
  world.script.failNext("guest", injected);
  await assertRejects(() => disk.detach(), ShimError, "injected");
  assertEquals([disk.state, world.script.of("vm").length], ["Attached", 1]);
  await disk.detach();
  assertEquals([disk.state, world.isEmpty], ["Detached", true]);
});

Deno.test("host:E9 host:E10 detach() whose removal fails stays Ejected, and does not eject again", async () => {
  const world = new DeviceWorld();
  const disk = await attached(world);
  world.script.failNext("vm", injected);
  await assertRejects(() => disk.detach(), ShimError, "injected");
  assertEquals(disk.state, "Ejected");
  await assertRejects(() => disk.attach(), ShimError, "it is Ejected");
  await disk.detach();
  assertEquals(disk.state, "Detached");
  assertEquals(world.said.slice(1), [
    "guest Remove disk 0:0",
    "vm Remove disk 0:0",
    "vm Remove disk 0:0",
  ]);
});

Deno.test("host:E11 detach() does nothing while a partition is held", async () => {
  const world = new DeviceWorld();
  const disk = await attached(world);
  disk.reserve(whole);
  await disk.detach();
  assertEquals([disk.state, world.said.length], ["Attached", 1]);
});

Deno.test("host:E12 host:E13 detach() of a disk that is not attached does nothing", async () => {
  const world = new DeviceWorld();
  const disk = new ScsiDisk(world, address, layer);
  await disk.detach();
  assertEquals([disk.state, world.said], ["Reserved", []]);
  const refused = await detached(world);
  await refused.detach();
  assertEquals([refused.state, world.said], ["Detached", ["vm Add disk 0:0"]]);
});

Deno.test("host:E14 host:E15 reserve() makes a mount, before and after the disk is attached", async () => {
  const disk = new ScsiDisk(new DeviceWorld(), address, layer);
  disk.reserve(whole);
  await disk.attach();
  disk.reserve({ ...whole, partition: 2 });
  assertEquals(
    [...disk.mounts].map(([partition, { state, references }]) => [
      partition,
      state,
      references,
    ]),
    [[0, "Reserved", 1], [2, "Reserved", 1]],
  );
});

Deno.test("host:E16 host:E17 reserve() shares a partition that is mounted alike", () => {
  const disk = new ScsiDisk(new DeviceWorld(), address, layer);
  disk.reserve(whole);
  disk.reserve({ ...whole, options: ["RO"] });
  assertEquals([disk.mounts.size, disk.mounts.get(0)?.references], [1, 2]);
  const refused = assertThrows(
    () => disk.reserve({ ...whole, readOnly: false }),
    ShimError,
    "with different config",
  );
  assertEquals([refused.code, disk.mounts.get(0)?.references], [
    "AlreadyExists",
    2,
  ]);
});

Deno.test("host:E18 a partition of a disk that could not be attached cannot be reserved", async () => {
  const disk = await detached(new DeviceWorld());
  assertThrows(() => disk.reserve(whole), ShimError, "it is Detached");
});

Deno.test("host:E19 host:E20 mount() needs an attached disk and a reserved partition", async () => {
  const world = new DeviceWorld();
  const disk = new ScsiDisk(world, address, layer);
  disk.reserve(whole);
  await assertRejects(() => disk.mount(0), ShimError, "it is Reserved");
  await disk.attach();
  const error = await assertRejects(
    () => disk.mount(7),
    ShimError,
    "Partition 7",
  );
  assertEquals([error.code, world.script.of("guest")], ["NotFound", []]);
});

Deno.test("host:E21 host:E22 mount() gives the path in the guest, or what the guest said", async () => {
  const world = new DeviceWorld();
  const disk = new ScsiDisk(world, { controller: 3, lun: 63 }, layer);
  disk.reserve(whole);
  disk.reserve({ ...whole, partition: 5 });
  await disk.attach();
  assertEquals(await disk.mount(5), "/run/mounts/scsi/3_63_5");
  world.script.failNext("guest", injected);
  assertEquals(await disk.mount(0).catch((error) => error), injected);
});

Deno.test("host:E23 unmount() gives a partition back whatever the state of the disk", async () => {
  const world = new DeviceWorld();
  const reserved = new ScsiDisk(world, address, layer);
  reserved.reserve(whole);
  await reserved.unmount(0);
  const refused = await detached(world, 0);
  await refused.unmount(0);
  const disk = await attached(world);
  disk.reserve(whole);
  await disk.mount(0);
  await disk.unmount(0);
  assertEquals(
    [reserved, refused, disk].map(({ mounts }) => mounts.size),
    [0, 0, 0],
  );
  assertEquals(world.script.of("guest").length, 2); // the one that was mounted
});

Deno.test("host:E24 host:E25 host:E26 unmount() forgets a partition with its last reference, and keeps what it cannot unmount", async () => {
  const world = new DeviceWorld();
  const disk = await attached(world);
  await disk.unmount(0); // nobody's
  assertEquals(world.said.length, 1);
  disk.reserve(whole);
  disk.reserve(whole);
  await disk.mount(0);
  await disk.unmount(0);
  assertEquals(disk.mounts.get(0)?.references, 1);
  world.script.failNext("guest", injected);
  await assertRejects(() => disk.unmount(0), ShimError, "injected");
  assertEquals(disk.mounts.get(0)?.state, "Mounted");
  await disk.unmount(0);
  assertEquals([disk.mounts.size, world.places.size], [0, 0]);
});

Deno.test("host:E27 a failed detach() after an unmount can be repeated", async () => {
  const world = new DeviceWorld();
  const disk = await attached(world);
  disk.reserve(whole);
  await disk.mount(0);
  await disk.unmount(0);
  world.script.failNext("guest", injected);
  await assertRejects(() => disk.detach(), ShimError, "injected");
  await disk.detach();
  assertEquals([disk.state, world.isEmpty], ["Detached", true]);
});

Deno.test("a partition whose mount failed only loses its references", async () => {
  const world = new DeviceWorld();
  const disk = await attached(world);
  disk.reserve(whole);
  disk.reserve(whole);
  world.script.failNext("guest", injected);
  await assertRejects(() => disk.mount(0), ShimError, "injected");
  assertThrows(() => disk.reserve(whole), ShimError, "it is Unmounted");
  await disk.unmount(0);
  await disk.unmount(0);
  await disk.detach();
  assertEquals([disk.state, world.isEmpty], ["Detached", true]);
});

Deno.test("detach() goes on when guest and host have no such disk any more", async () => {
  const world = new DeviceWorld();
  const disk = await attached(world);
  world.script.failNext("guest", gone);
  world.script.failNext("vm", gone);
  await disk.detach();
  assertEquals([disk.state, world.said.length], ["Detached", 3]);
});
