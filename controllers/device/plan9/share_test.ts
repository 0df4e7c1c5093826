import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { DeviceWorld, gone } from "../../testing/device_world.ts";
import { sameShare, type ShareConfig } from "./config.ts";
import { Share } from "./share.ts";
import {
  data,
  file,
  firstPath,
  injected,
  readOnly,
  writable,
} from "./testing.ts";

/** A share that the host serves. */
async function added(world: DeviceWorld): Promise<Share> {
  const share = new Share(world, "0", data);
  await share.add();
  return share;
}

/** A share that the host could not add, with references to its mount. */
async function invalid(world: DeviceWorld, references: number): Promise<Share> {
  const share = new Share(world, "0", data);
  for (let n = 0; n < references; n++) share.reserve(writable);
  world.script.failNext("vm", injected);
  assertEquals(await share.add().catch((error) => error), injected);
  return share;
}

Deno.test("host:F1 a new share is Reserved and keeps its name and config", () => {
  const share = new Share(new DeviceWorld(), "7", data);
  assertEquals([share.state, share.name, share.config], [
    "Reserved",
    "7",
    data,
  ]);
});

Deno.test("host:F2 add() asks the host once, with the flags of the share and port 564", async () => {
  const cases: [share: ShareConfig, flags: number, files?: string[]][] = [
    [data, 4],
    [{ ...data, readOnly: true }, 5],
    [{ ...file, readOnly: false }, 132, ["a.ini"]],
    [file, 133, ["a.ini"]],
  ];
  for (const [config, flags, files] of cases) {
    const world = new DeviceWorld();
    const share = new Share(world, "0", config);
    await share.add();
    assertEquals(share.state, "Added");
    assertEquals(world.requests, [{
      ResourcePath: "VirtualMachine/Devices/Plan9/Shares",
      RequestType: "Add",
      Settings: {
        Name: "0",
        AccessName: "0",
        Path: config.hostPath,
        Port: 564,
        Flags: flags,
        ...(files === undefined ? {} : { AllowedFiles: files }),
      },
    }]);
  }
});

Deno.test("host:F3 host:F5 add() that fails throws what the host said, and is final", async () => {
  const world = new DeviceWorld();
  const share = await invalid(world, 0);
  assertEquals(share.state, "Invalid");
  await assertRejects(() => share.add(), ShimError, "it is Invalid");
  assertEquals(world.said.length, 1);
});

Deno.test("host:F4 add() of an added share calls nobody", async () => {
  const world = new DeviceWorld();
  const share = await added(world);
  await share.add();
  assertEquals([share.state, world.said], ["Added", ["vm Add share 0"]]);
});

Deno.test("host:F6 remove() of a reserved share calls nobody", async () => {
  const world = new DeviceWorld();
  const share = new Share(world, "0", data);
  await share.remove();
  assertEquals([share.state, world.said], ["Removed", []]);
});

Deno.test("host:F7 host:F9 remove() of an added share asks the host once", async () => {
  const world = new DeviceWorld();
  const share = await added(world);
  await share.remove();
  await share.remove();
  assertEquals([share.state, world.said], ["Removed", [
    "vm Add share 0",
    "vm Remove share 0",
  ]]);
  assertEquals(world.requests[1], {
    ResourcePath: "VirtualMachine/Devices/Plan9/Shares",
    RequestType: "Remove",
    Settings: { Name: "0", AccessName: "0", Port: 564 },
  });
});

Deno.test("host:F8 remove() that fails stays Added and can be repeated", async () => {
  const world = new DeviceWorld();
  const share = await added(world);
  world.script.failNext("vm", injected);
  assertEquals(await share.remove().catch((error) => error), injected);
  assertEquals(share.state, "Added");
  await share.remove();
  assertEquals([share.state, world.isEmpty], ["Removed", true]);
});

Deno.test("remove() of a share that the host does not have any more succeeds", async () => {
  const world = new DeviceWorld();
  const share = await added(world);
  world.script.failNext("vm", gone);
  await share.remove();
  assertEquals(share.state, "Removed");
});

Deno.test("host:F10 remove() does nothing while its mount is held", async () => {
  const world = new DeviceWorld();
  const share = await added(world);
  share.reserve(writable);
  await share.remove();
  assertEquals([share.state, world.said.length], ["Added", 1]);
});

Deno.test("remove() of a reserved share does nothing while others have reserved it", async () => {
  const share = new Share(new DeviceWorld(), "0", data);
  share.reserve(writable);
  await share.remove();
  assertEquals(share.state, "Reserved"); // for the peer it is Removed
});

Deno.test("host:F11 host:F12 remove() of an invalid share waits for its last holder, and calls nobody", async () => {
  const world = new DeviceWorld();
  const share = await invalid(world, 1);
  await share.remove();
  assertEquals(share.state, "Invalid");
  await share.unmountInGuest();
  await share.remove();
  assertEquals([share.state, world.said], ["Removed", ["vm Add share 0"]]);
});

Deno.test("host:F13 reserve() makes the mount, joins it, and is refused in another way or when Invalid", async () => {
  const share = new Share(new DeviceWorld(), "0", data);
  share.reserve(writable);
  const { mount } = share;
  assertEquals([mount?.state, mount?.references], ["Reserved", 1]);
  share.reserve(writable);
  assertEquals([share.mount === mount, mount?.references], [true, 2]);
  const refused = assertThrows(
    () => share.reserve(readOnly),
    ShimError,
    "with different config",
  );
  assertEquals([refused.code, mount?.references], ["AlreadyExists", 2]);
  const broken = await invalid(new DeviceWorld(), 1);
  assertThrows(() => broken.reserve(writable), ShimError, "it is Invalid");
});

Deno.test("host:F14 host:F15 mountInGuest() needs an added share and a reserved mount, and gives its path", async () => {
  const world = new DeviceWorld();
  const share = new Share(world, "0", data);
  share.reserve(writable);
  await assertRejects(() => share.mountInGuest(), ShimError, "it is Reserved");
  const other = new Share(world, "12", { ...data, hostPath: "C:\\other" });
  await other.add();
  await assertRejects(() => other.mountInGuest(), ShimError, "is not reserved");
  assertEquals(world.script.of("guest"), []);
  other.reserve(writable);
  assertEquals(await other.mountInGuest(), "/run/mounts/plan9/12");
});

Deno.test("host:F16 unmountInGuest() clears the mount; without one it does nothing", async () => {
  const world = new DeviceWorld();
  const share = await added(world);
  await share.unmountInGuest();
  assertEquals(world.said.length, 1);
  share.reserve(writable);
  await share.mountInGuest();
  await share.unmountInGuest();
  assertEquals([share.mount, world.said.at(-1)], [
    undefined,
    `guest Remove ${firstPath}`,
  ]);
});

Deno.test("shares are equal whatever the case and order of allowed names", () => {
  const base: ShareConfig = { ...file, allowedNames: ["a", "B"] };
  assert(sameShare(base, { ...base, allowedNames: ["b", "A"] }));
  assert(sameShare(data, { ...data, restrict: false, allowedNames: [] }));
  assert(!sameShare(base, { ...base, allowedNames: ["a"] }));
  assert(!sameShare(base, { ...base, readOnly: false }));
  assert(!sameShare(base, { ...base, restrict: false }));
  assert(!sameShare(data, { ...data, hostPath: "c:\\data" }));
});
