import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { bridgeClosed } from "../../../bridge/errors.ts";
import { DeviceWorld } from "../../testing/device_world.ts";
import { ShareMount } from "./mount.ts";
import { firstPath, injected, readOnly, writable } from "./testing.ts";

/** A world whose VM has the share. */
function worldWithShare(): DeviceWorld {
  const world = new DeviceWorld();
  world.bootFrom("share 0");
  return world;
}

Deno.test("host:F17 a mount starts Reserved with one reference", () => {
  const mount = new ShareMount("0", writable);
  assertEquals([mount.state, mount.references], ["Reserved", 1]);
});

Deno.test("host:F18 reserve() counts the same config, and is refused in another way or when Unmounted", async () => {
  const { guest } = worldWithShare();
  const mount = new ShareMount("0", writable);
  mount.reserve(writable);
  assertEquals(mount.references, 2);
  const refused = assertThrows(
    () => mount.reserve(readOnly),
    ShimError,
    "with different config",
  );
  assertEquals([refused.code, mount.references], ["AlreadyExists", 2]);
  await mount.mount(guest);
  for (let holder = 0; holder < 2; holder++) await mount.unmount(guest);
  assertThrows(() => mount.reserve(writable), ShimError, "it is Unmounted");
});

Deno.test("host:F19 mount() that fails throws what the guest said and is Invalid", async () => {
  const { guest, script } = worldWithShare();
  const mount = new ShareMount("0", writable);
  script.failNext("guest", injected);
  assertEquals(await mount.mount(guest).catch((error) => error), injected);
  assertEquals(mount.state, "Invalid");
});

Deno.test("host:F20 mount() is idempotent, and refused when Invalid", async () => {
  const world = worldWithShare();
  const mount = new ShareMount("0", readOnly);
  assertEquals(await mount.mount(world.guest), firstPath);
  assertEquals(await mount.mount(world.guest), firstPath);
  assertEquals(world.requests, [{
    ResourceType: "MappedDirectory",
    RequestType: "Add",
    Settings: {
      MountPath: firstPath,
      Port: 564,
      ShareName: "0",
      ReadOnly: true,
    },
  }]);
  const broken = new ShareMount("0", writable);
  world.script.failNext("guest", injected);
  await assertRejects(() => broken.mount(world.guest), ShimError, "injected");
  await assertRejects(
    () => broken.mount(world.guest),
    ShimError,
    "it is Invalid",
  );
  assertThrows(() => broken.reserve(writable), ShimError, "it is Invalid");
  assertEquals(world.said.length, 2);
});

Deno.test("host:F21 unmount() sends a MappedDirectory Remove that says the same", async () => {
  const world = worldWithShare();
  const mount = new ShareMount("0", writable);
  await mount.mount(world.guest);
  await mount.unmount(world.guest);
  assertEquals([mount.state, mount.references], ["Unmounted", 0]);
  assertEquals(world.requests[1], {
    ResourceType: "MappedDirectory",
    RequestType: "Remove",
    Settings: { MountPath: firstPath, Port: 564, ShareName: "0" },
  });
});

Deno.test("host:F22 unmount() that fails stays Mounted, and a retry succeeds", async () => {
  const world = worldWithShare();
  const mount = new ShareMount("0", writable);
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

Deno.test("host:F23 unmount() calls the guest only for the last reference", async () => {
  const world = worldWithShare();
  const mount = new ShareMount("0", writable);
  mount.reserve(writable);
  mount.reserve(writable);
  await mount.mount(world.guest);
  await mount.unmount(world.guest);
  await mount.unmount(world.guest);
  assertEquals([mount.state, world.said.length], ["Mounted", 1]);
  await mount.unmount(world.guest);
  assertEquals([mount.state, world.said.length], ["Unmounted", 2]);
});

Deno.test("host:F24 host:F25 unmount() of a reserved mount calls nobody, and is refused afterwards", async () => {
  const world = worldWithShare();
  const mount = new ShareMount("0", writable);
  await mount.unmount(world.guest);
  assertEquals([mount.state, world.said], ["Unmounted", []]);
  await assertRejects(
    () => mount.unmount(world.guest),
    ShimError,
    "it is Unmounted",
  );
});

Deno.test("unmount() is done when the bridge is closed", async () => {
  const world = worldWithShare();
  const mount = new ShareMount("0", writable);
  await mount.mount(world.guest);
  world.script.failNext("guest", bridgeClosed("Cannot call ModifySettings"));
  await mount.unmount(world.guest);
  assertEquals([mount.state, mount.references], ["Unmounted", 0]);
});
