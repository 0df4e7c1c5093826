import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { FakeGuest } from "../../../bridge/fake_guest.ts";
import { allowedPairs } from "../../testing/state_table.ts";
import { type MountConfig, sameDisk, sameMount } from "./config.ts";
import { ScsiDisk } from "./disk.ts";
import { ScsiMount } from "./mount.ts";
import { diskStates, mountStates } from "./states.ts";
import { address, injected, layer, peers, said, whole } from "./testing.ts";

Deno.test("the disk states allow exactly the rows of the table", () => {
  assertEquals(allowedPairs(diskStates), [
    "Attached eject Ejected",
    "Ejected remove Detached",
    "Reserved attach Attached",
    "Reserved fail Detached",
  ]);
});

Deno.test("the mount states allow exactly the rows of the table", () => {
  assertEquals(allowedPairs(mountStates), [
    "Mounted unmount Unmounted",
    "Reserved fail Unmounted",
    "Reserved mount Mounted",
  ]);
});

Deno.test("host:E1 a new disk is Reserved and keeps its config", () => {
  const disk = new ScsiDisk(peers(), address, layer);
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
  const world = peers();
  const disk = new ScsiDisk(world, address, layer);
  await disk.attach();
  await disk.attach();
  assertEquals([disk.state, said(world)], ["Attached", ["vm Add"]]);
});

Deno.test("host:E4 host:E6 attach() that fails is final", async () => {
  const world = peers();
  const disk = new ScsiDisk(world, address, layer);
  world.vm.script.failNext("modify", injected);
  assertEquals(await disk.attach().catch((error) => error), injected);
  assertEquals(disk.state, "Detached");
  await assertRejects(() => disk.attach(), ShimError, "it is Detached");
});

Deno.test("host:E7 detach() ejects in the guest, then removes on the host", async () => {
  const world = peers();
  const disk = new ScsiDisk(world, address, layer);
  await disk.attach();
  await disk.detach();
  assertEquals(disk.state, "Detached");
  assertEquals(said(world), ["vm Add", "vm Remove", "guest Remove SCSIDevice"]);
});

Deno.test("host:E8 detach() whose eject fails stays Attached", async () => {
  const world = peers();
  const disk = new ScsiDisk(world, address, layer);
  await disk.attach();
  world.guest.failNext("modify", injected);
  await assertRejects(() => disk.detach(), ShimError, "injected");
  assertEquals(disk.state, "Attached");
  await disk.detach();
  assertEquals(disk.state, "Detached");
});

Deno.test("host:E9 host:E10 detach() whose removal fails does not eject again", async () => {
  const world = peers();
  const disk = new ScsiDisk(world, address, layer);
  await disk.attach();
  world.vm.script.failNext("modify", injected);
  await assertRejects(() => disk.detach(), ShimError, "injected");
  assertEquals(disk.state, "Ejected");
  await disk.detach();
  assertEquals(disk.state, "Detached");
  assertEquals(world.guest.calls.length, 1);
});

Deno.test("host:E11 detach() does nothing while a partition is held", async () => {
  const world = peers();
  const disk = new ScsiDisk(world, address, layer);
  disk.reserve(whole);
  await disk.attach();
  await disk.detach();
  assertEquals(disk.state, "Attached");
});

Deno.test("host:E12 host:E13 detach() of a disk that is not attached does nothing", async () => {
  const world = peers();
  const disk = new ScsiDisk(world, address, layer);
  await disk.detach();
  assertEquals(disk.state, "Reserved");
  world.vm.script.failNext("modify", injected);
  await assertRejects(() => disk.attach());
  await disk.detach();
  assertEquals([disk.state, world.guest.calls], ["Detached", []]);
});

Deno.test("host:E14 host:E15 host:E16 host:E17 reserve() shares a partition mounted alike", async () => {
  const disk = new ScsiDisk(peers(), address, layer);
  disk.reserve(whole);
  await disk.attach();
  disk.reserve({ ...whole, partition: 2 });
  disk.reserve({ ...whole, options: ["RO"] });
  assertEquals(disk.mounts.get(0)?.references, 2);
  assertEquals([...disk.mounts.keys()], [0, 2]);
  const refused = assertThrows(
    () => disk.reserve({ ...whole, readOnly: false }),
    ShimError,
    "with different config",
  );
  assertEquals(refused.code, "AlreadyExists");
});

Deno.test("host:E18 host:E19 host:E20 partitions need an attached disk and a reservation", async () => {
  const world = peers();
  const disk = new ScsiDisk(world, address, layer);
  disk.reserve(whole);
  assertThrows(() => disk.mount(0), ShimError, "it is Reserved");
  await disk.attach();
  assertThrows(() => disk.mount(7), ShimError, "is not reserved");
  const gone = new ScsiDisk(world, address, layer);
  world.vm.script.failNext("modify", injected);
  await assertRejects(() => gone.attach());
  assertThrows(() => gone.reserve(whole), ShimError, "it is Detached");
});

Deno.test("host:E21 host:E22 mount() gives the path in the guest, or its error", async () => {
  const world = peers();
  const disk = new ScsiDisk(world, { controller: 3, lun: 63 }, layer);
  disk.reserve(whole);
  disk.reserve({ ...whole, partition: 5 });
  await disk.attach();
  assertEquals(await disk.mount(5), "/run/mounts/scsi/3_63_5");
  world.guest.failNext("modify", injected);
  await assertRejects(() => disk.mount(0), ShimError, "injected");
});

Deno.test("host:E23 host:E24 host:E25 host:E26 unmount() counts, and keeps what it cannot unmount", async () => {
  const world = peers();
  const disk = new ScsiDisk(world, address, layer);
  await disk.unmount(0);
  disk.reserve(whole);
  await disk.attach();
  await disk.mount(0);
  world.guest.failNext("modify", injected);
  await assertRejects(() => disk.unmount(0), ShimError, "injected");
  assertEquals(disk.mounts.size, 1);
  await disk.unmount(0);
  assertEquals(disk.mounts.size, 0);
  disk.reserve(whole);
  await disk.unmount(0); // never mounted: no call
  assertEquals([disk.mounts.size, world.guest.calls.length], [0, 3]);
});

Deno.test("host:E27 a failed detach() after an unmount can be repeated", async () => {
  const world = peers();
  const disk = new ScsiDisk(world, address, layer);
  disk.reserve(whole);
  await disk.attach();
  await disk.mount(0);
  await disk.unmount(0);
  world.guest.failNext("modify", injected);
  await assertRejects(() => disk.detach());
  await disk.detach();
  assertEquals(disk.state, "Detached");
});

Deno.test("host:E28 host:E29 host:E30 host:E31 a mount is reserved alike until it is unmounted", async () => {
  const guest = new FakeGuest();
  const mount = new ScsiMount(address, whole);
  assertEquals([mount.state, mount.references], ["Reserved", 1]);
  mount.reserve(whole);
  assertThrows(() => mount.reserve({ ...whole, blockDev: true }));
  await mount.mount(guest);
  mount.reserve(whole);
  assertEquals(mount.references, 3);
  for (let times = 0; times < 3; times++) await mount.unmount(guest);
  assertThrows(() => mount.reserve(whole), ShimError, "it is Unmounted");
});

Deno.test("host:E32 host:E33 host:E34 mount() calls the guest once and gives up for good", async () => {
  const guest = new FakeGuest();
  const mount = new ScsiMount(address, whole);
  assertEquals(await mount.mount(guest), await mount.mount(guest));
  assertEquals(guest.calls.length, 1);
  const bad = new ScsiMount(address, whole);
  guest.failNext("modify", injected);
  assertEquals(await bad.mount(guest).catch((error) => error), injected);
  assertEquals(bad.state, "Unmounted");
  await assertRejects(() => bad.mount(guest), ShimError, "it is Unmounted");
});

Deno.test("host:E35 host:E36 host:E37 host:E38 unmount() calls the guest for the last reference", async () => {
  const guest = new FakeGuest();
  const unused = new ScsiMount(address, whole);
  await unused.unmount(guest);
  assertEquals([unused.state, unused.references], ["Reserved", 0]);
  const mount = new ScsiMount(address, whole);
  mount.reserve(whole);
  await mount.mount(guest);
  await mount.unmount(guest);
  assertEquals(guest.calls.length, 1);
  guest.failNext("modify", injected);
  await assertRejects(() => mount.unmount(guest), ShimError, "injected");
  assertEquals([mount.state, mount.references], ["Mounted", 1]);
  await mount.unmount(guest);
  await assertRejects(() => mount.unmount(guest), ShimError, "Unmounted");
});

Deno.test("host:E39 mounts are equal whatever the case and order of options", () => {
  const base: MountConfig = { ...whole, options: ["ro", "NoExec"] };
  assert(sameMount(base, { ...base, options: ["noexec", "RO"] }));
  assert(!sameMount(base, { ...base, options: ["ro"] }));
  assert(!sameMount(base, { ...base, encrypted: true }));
  assert(!sameMount(base, { ...base, filesystem: "xfs" }));
  assert(!sameMount(base, { ...base, blockDev: true }));
});
