import { assertEquals, assertRejects } from "@std/assert";
import { classify, ShimError } from "../../../base/errors.ts";
import { DeviceWorld } from "../../testing/device_world.ts";
import { Plan9Controller } from "./controller.ts";
import {
  data,
  file,
  firstPath,
  injected,
  readOnly,
  writable,
} from "./testing.ts";

const names = (plan9: Plan9Controller) => plan9.shares.map(({ name }) => name);

Deno.test("host:F26 host:F28 reserve() makes a share per host path, with names that count up", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const first = await plan9.reserve(data, writable);
  await plan9.reserve(file, readOnly);
  assertEquals(names(plan9), ["0", "1"]);
  await plan9.unmap(first);
  await plan9.reserve(data, writable);
  assertEquals(names(plan9), ["1", "2"]); // never used again
  assertEquals(world.said, []);
});

Deno.test("host:F27 reservations of one host path reference one share", async () => {
  const plan9 = new Plan9Controller(new DeviceWorld());
  const first = await plan9.reserve(data, writable);
  const second = await plan9.reserve(data, writable);
  assertEquals([first === second, names(plan9)], [false, ["0"]]);
  assertEquals(plan9.shares[0]?.mount?.references, 2);
});

Deno.test("host:F29 a path in use in another way is refused, and nothing remains", async () => {
  const plan9 = new Plan9Controller(new DeviceWorld());
  await plan9.reserve(file, readOnly);
  const shares = await assertRejects(
    () => plan9.reserve({ ...file, allowedNames: ["b.ini"] }, readOnly),
    ShimError,
    'Cannot share "C:\\conf\\" with different config: it is in use read-only, restricted to "a.ini"',
  );
  const mounts = await assertRejects(
    () => plan9.reserve(file, writable),
    ShimError,
    "with different config",
  );
  assertEquals([shares.code, mounts.code], ["AlreadyExists", "AlreadyExists"]);
  assertEquals([names(plan9), plan9.reservations], [["0"], 1]);
});

Deno.test("host:F30 writable shares are denied when the sandbox has none, read-only ones are not", async () => {
  const plan9 = new Plan9Controller(new DeviceWorld(), {
    noWritableFileShares: true,
  });
  for (const mount of [writable, readOnly]) {
    const error = await assertRejects(
      () => plan9.reserve(data, mount),
      ShimError,
      "adding writable shares is denied",
    );
    assertEquals(classify(error), "PermissionDenied");
  }
  await plan9.reserve({ ...data, readOnly: true }, readOnly);
  assertEquals(names(plan9), ["0"]); // a refusal uses no name
});

Deno.test("host:F31 host:F35 map() adds, then mounts; unmap() unmounts, then removes", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const id = await plan9.reserve(data, writable);
  assertEquals(await plan9.map(id), firstPath);
  await plan9.unmap(id);
  assertEquals(world.said, [
    "vm Add share 0",
    `guest Add ${firstPath}`,
    `guest Remove ${firstPath}`,
    "vm Remove share 0",
  ]);
  assertEquals([plan9.shares, plan9.reservations], [[], 0]);
});

Deno.test("host:F32 host:F41 map() whose add fails throws it, and unmap() frees the path", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const id = await plan9.reserve(data, writable);
  world.script.failNext("vm", injected);
  assertEquals(await plan9.map(id).catch((error) => error), injected);
  await assertRejects(() => plan9.map(id), ShimError, "it is Invalid");
  await assertRejects(
    () => plan9.reserve(data, writable),
    ShimError,
    "it is Invalid",
  );
  await plan9.unmap(id);
  assertEquals([plan9.shares, world.said], [[], ["vm Add share 0"]]);
  assertEquals(
    await plan9.map(await plan9.reserve(data, writable)),
    "/run/mounts/plan9/1",
  );
});

Deno.test("host:F33 map() whose mount fails cannot be repeated, and unmap() removes the share", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const id = await plan9.reserve(data, writable);
  world.script.failNext("guest", injected);
  assertEquals(await plan9.map(id).catch((error) => error), injected);
  await assertRejects(() => plan9.map(id), ShimError, "it is Invalid");
  await plan9.unmap(id);
  assertEquals(world.said, [
    "vm Add share 0",
    `guest Add ${firstPath}`,
    "vm Remove share 0",
  ]);
  assertEquals([plan9.shares, world.isEmpty], [[], true]);
});

Deno.test("host:F34 host:F38 a shared path is added once, and removed with its last reference", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const first = await plan9.reserve(data, writable);
  const second = await plan9.reserve(data, writable);
  for (const id of [first, second, second]) {
    assertEquals(await plan9.map(id), firstPath);
  }
  assertEquals(world.said.length, 2);
  await plan9.unmap(first);
  assertEquals([world.said.length, names(plan9)], [2, ["0"]]);
  await plan9.unmap(second);
  assertEquals([world.said.length, names(plan9)], [4, []]);
});

Deno.test("host:F36 unmap() that the guest fails can be repeated", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const id = await plan9.reserve(data, writable);
  await plan9.map(id);
  world.script.failNext("guest", injected);
  assertEquals(await plan9.unmap(id).catch((error) => error), injected);
  assertEquals([plan9.reservations, await plan9.map(id)], [1, firstPath]);
  await plan9.unmap(id);
  assertEquals([plan9.shares, plan9.reservations, world.isEmpty], [
    [],
    0,
    true,
  ]);
});

Deno.test("host:F37 unmap() that the host fails can be repeated, without a second unmount", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const id = await plan9.reserve(data, writable);
  await plan9.map(id);
  world.script.failNext("vm", injected);
  assertEquals(await plan9.unmap(id).catch((error) => error), injected);
  await assertRejects(() => plan9.map(id), ShimError, "is being given back");
  await plan9.unmap(id);
  assertEquals(world.said.slice(2), [
    `guest Remove ${firstPath}`,
    "vm Remove share 0",
    "vm Remove share 0",
  ]);
  assertEquals([plan9.shares, plan9.reservations], [[], 0]);
});

Deno.test("host:F39 unmap() without a map() calls nobody", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  await plan9.unmap(await plan9.reserve(data, writable));
  assertEquals([plan9.shares, plan9.reservations, world.said], [[], 0, []]);
});

Deno.test("one holder who never mapped does not take the share from the others", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const first = await plan9.reserve(data, writable);
  const second = await plan9.reserve(data, writable);
  await plan9.unmap(first); // the peer removes the share here
  assertEquals(await plan9.map(second), firstPath);
  await plan9.unmap(second);
  assertEquals([plan9.shares, world.isEmpty], [[], true]);
});

Deno.test("host:F40 a path that was released can be shared in another way", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const id = await plan9.reserve(data, writable);
  await plan9.map(id);
  await plan9.unmap(id);
  const again = await plan9.reserve({ ...data, readOnly: true }, readOnly);
  assertEquals(await plan9.map(again), "/run/mounts/plan9/1");
});

Deno.test("host:F42 host:F43 several reservations of a share that fails are all given back", async () => {
  for (const side of ["vm", "guest"] as const) {
    const world = new DeviceWorld();
    const plan9 = new Plan9Controller(world);
    const ids: string[] = [];
    for (let holder = 0; holder < 3; holder++) {
      ids.push(await plan9.reserve(data, writable));
    }
    world.script.failNext(side, injected);
    for (const id of ids) await assertRejects(() => plan9.map(id), ShimError);
    for (const id of ids) await plan9.unmap(id);
    assertEquals([plan9.shares, plan9.reservations], [[], 0], side);
    assertEquals([world.isEmpty, world.objections], [true, []], side);
    await plan9.map(await plan9.reserve(data, writable));
  }
});
