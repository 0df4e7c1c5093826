import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { bridgeClosed } from "../../../bridge/errors.ts";
import { DeviceWorld } from "../../testing/device_world.ts";
import { type MountConfig, sameMount } from "./config.ts";
import { ScsiMount } from "./mount.ts";
import { address, injected, whole } from "./testing.ts";

const path = "/run/mounts/scsi/0_0_0";

/** A world whose VM has the disk. */
function worldWithDisk(): DeviceWorld {
  const world = new DeviceWorld();
  world.bootFrom("disk 0:0");
  return world;
}

Deno.test("host:E28 a mount starts Reserved with one reference", () => {
  const mount = new ScsiMount(address, whole);
  assertEquals([mount.state, mount.references], ["Reserved", 1]);
});

Deno.test("host:E29 reserve() counts the same config, and refuses another one", () => {
  const mount = new ScsiMount(address, whole);
  mount.reserve(whole);
  assertEquals(mount.references, 2);
  const refused = assertThrows(
    () => mount.reserve({ ...whole, blockDev: true }),
    ShimError,
    "with different config",
  );
  assertEquals([refused.code, mount.references], ["AlreadyExists", 2]);
});

Deno.test("host:E30 host:E31 reserve() counts while it is mounted, and is refused afterwards", async () => {
  const { guest } = worldWithDisk();
  const mount = new ScsiMount(address, whole);
  await mount.mount(guest);
  mount.reserve(whole);
  assertEquals([mount.state, mount.references], ["Mounted", 2]);
  await mount.unmount(guest);
  await mount.unmount(guest);
  assertThrows(() => mount.reserve(whole), ShimError, "it is Unmounted");
});

Deno.test("host:E32 mount() of what is mounted gives the path without a call", async () => {
  const world = worldWithDisk();
  const mount = new ScsiMount(address, whole);
  assertEquals(await mount.mount(world.guest), path);
  assertEquals(await mount.mount(world.guest), path);
  assertEquals(world.said, [`guest Add ${path}`]);
});

Deno.test("host:E33 host:E34 mount() that fails throws what the guest said, and is final", async () => {
  const world = worldWithDisk();
  const mount = new ScsiMount(address, whole);
  world.script.failNext("guest", injected);
  assertEquals(
    await mount.mount(world.guest).catch((error) => error),
    injected,
  );
  assertEquals(mount.state, "Unmounted");
  await assertRejects(
    () => mount.mount(world.guest),
    ShimError,
    "it is Unmounted",
  );
  assertEquals(world.said.length, 1);
});

Deno.test("host:E35 unmount() of a reserved mount only counts down", async () => {
  const world = worldWithDisk();
  const mount = new ScsiMount(address, whole);
  mount.reserve(whole);
  await mount.unmount(world.guest);
  assertEquals([mount.state, mount.references], ["Reserved", 1]);
  await mount.unmount(world.guest);
  assertEquals([mount.state, mount.references], ["Reserved", 0]);
  assertEquals(world.said, []);
});

Deno.test("host:E36 host:E37 unmount() calls the guest for the last reference, and is refused afterwards", async () => {
  const world = worldWithDisk();
  const mount = new ScsiMount(address, whole);
  mount.reserve(whole);
  await mount.mount(world.guest);
  await mount.unmount(world.guest);
  assertEquals([mount.state, world.said.length], ["Mounted", 1]);
  await mount.unmount(world.guest);
  assertEquals([mount.state, world.said.at(-1)], [
    "Unmounted",
    `guest Remove ${path}`,
  ]);
  await assertRejects(
    () => mount.unmount(world.guest),
    ShimError,
    "it is Unmounted",
  );
});

Deno.test("host:E38 unmount() that fails stays Mounted with its reference", async () => {
  const world = worldWithDisk();
  const mount = new ScsiMount(address, whole);
  await mount.mount(world.guest);
  world.script.failNext("guest", injected);
  assertEquals(
    await mount.unmount(world.guest).catch((error) => error),
    injected,
  );
  assertEquals([mount.state, mount.references], ["Mounted", 1]);
  await mount.unmount(world.guest);
  assertEquals([mount.state, world.places.size], ["Unmounted", 0]);
});

Deno.test("unmount() is done when the bridge is closed", async () => {
  const world = worldWithDisk();
  const mount = new ScsiMount(address, whole);
  await mount.mount(world.guest);
  world.script.failNext("guest", bridgeClosed("Cannot call ModifySettings"));
  await mount.unmount(world.guest);
  assertEquals([mount.state, mount.references], ["Unmounted", 0]);
});

Deno.test("host:E39 mounts are equal whatever the case and order of options", () => {
  const base: MountConfig = { ...whole, options: ["ro", "NoExec"] };
  assert(sameMount(base, { ...base, options: ["noexec", "RO"] }));
  assert(!sameMount(base, { ...base, options: ["ro"] }));
  assert(!sameMount(base, { ...base, readOnly: false }));
  assert(!sameMount(base, { ...base, encrypted: true }));
  assert(!sameMount(base, { ...base, filesystem: "xfs" }));
  assert(!sameMount(base, { ...base, ensureFilesystem: true }));
  assert(!sameMount(base, { ...base, blockDev: true }));
});
