import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { classify, ShimError } from "../../../base/errors.ts";
import { DeviceWorld, gone } from "../../testing/device_world.ts";
import { VpciController } from "./controller.ts";
import { gpu, injected, partOfGpu } from "./testing.ts";

/** A controller with a reservation of one device. */
async function reserved(holders = 1) {
  const world = new DeviceWorld();
  const vpci = new VpciController(world);
  const ids: string[] = [];
  for (let holder = 0; holder < holders; holder++) {
    ids.push(await vpci.reserve(gpu));
  }
  return { world, vpci, ids, id: ids[0]!, guid: vpci.devices[0]!.guid };
}

const states = (vpci: VpciController) => vpci.devices.map(({ state }) => state);

Deno.test("host:G1 reserve() of a new device makes a version 4 GUID, and calls nobody", async () => {
  const { world, vpci, guid } = await reserved();
  assertMatch(guid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}$/);
  assertEquals([states(vpci), vpci.devices[0]?.config], [["Reserved"], gpu]);
  assertEquals(world.said, []);
});

Deno.test("host:G2 reservations of one device have one GUID, in whatever state it is", async () => {
  const { vpci, ids, guid } = await reserved(2);
  assertEquals([vpci.devices.length, vpci.devices[0]?.references], [1, 2]);
  assertEquals(await vpci.map(ids[0]!), guid);
  const later = await vpci.reserve(gpu);
  assertEquals([await vpci.map(ids[1]!), await vpci.map(later)], [guid, guid]);
});

Deno.test("host:G3 another virtual function has another GUID", async () => {
  const { vpci, id, guid } = await reserved();
  const other = await vpci.map(await vpci.reserve(partOfGpu));
  assertEquals([await vpci.map(id), other === guid], [guid, false]);
  assertEquals(vpci.devices.length, 2);
});

Deno.test("host:G4 host:G12 host:G22 unknown reservations are not found, nor is one that was given back", async () => {
  const { world, vpci, id } = await reserved();
  await vpci.map(id);
  await vpci.unmap(id);
  const { length } = world.said;
  for (const unknown of [id, "nobody"]) {
    for (const call of ["map", "unmap"] as const) {
      const error = await assertRejects(
        () => vpci[call](unknown),
        ShimError,
        `vPCI reservation ${unknown} not found`,
      );
      assertEquals(classify(error), "NotFound");
    }
  }
  assertEquals(world.said.length, length);
});

Deno.test("host:G5 host:G24 map() asks the host, then tells the guest the same GUID", async () => {
  const { world, vpci, id, guid } = await reserved();
  assertEquals(await vpci.map(id), guid);
  assertEquals(states(vpci), ["Ready"]);
  assertEquals(world.said, [`vm Add device ${guid}`, `guest Add ${guid}`]);
  assertEquals(world.requests[1], {
    ResourceType: "VPCIDevice",
    RequestType: "Add",
    Settings: { VMBusGUID: guid },
  });
});

Deno.test("host:G6 host:G11 two reservations are assigned once", async () => {
  const { world, vpci, ids, guid } = await reserved(2);
  for (const id of [ids[0]!, ids[1]!, ids[1]!]) {
    assertEquals(await vpci.map(id), guid);
  }
  assertEquals([vpci.devices[0]?.references, world.said.length], [2, 2]);
});

Deno.test("host:G7 host:G8 map() that the host fails throws it, and is refused from then on", async () => {
  const { world, vpci, id } = await reserved();
  world.script.failNext("vm", injected);
  assertEquals(await vpci.map(id).catch((error) => error), injected);
  assertEquals(states(vpci), ["Removed"]);
  const again = await assertRejects(
    () => vpci.map(id),
    ShimError,
    `Cannot assign device "${gpu.instancePath}", function 0`,
  );
  assertEquals(again.code, "FailedPrecondition");
  assertEquals(world.said.length, 1);
});

Deno.test("host:G9 host:G10 map() that the guest fails throws it, and is refused from then on", async () => {
  const { world, vpci, id } = await reserved();
  world.script.failNext("guest", injected);
  assertEquals(await vpci.map(id).catch((error) => error), injected);
  assertEquals(states(vpci), ["AssignedInvalid"]);
  await assertRejects(() => vpci.map(id), ShimError, "it is AssignedInvalid");
  assertEquals(world.said.length, 2);
});

Deno.test("host:G13 unmap() of a reserved device drops it and calls nobody", async () => {
  const { world, vpci, id } = await reserved();
  await vpci.unmap(id);
  assertEquals([vpci.devices, vpci.reservations, world.said], [[], 0, []]);
});

Deno.test("one holder who gives up does not take the device from the others", async () => {
  const { world, vpci, ids, guid } = await reserved(2);
  await vpci.unmap(ids[0]!); // the peer drops the device here
  assertEquals(await vpci.map(ids[1]!), guid);
  await vpci.unmap(ids[1]!);
  assertEquals([vpci.devices, world.isEmpty], [[], true]);
});

Deno.test("host:G14 unmap() after the host failed drops the device and calls nobody", async () => {
  const { world, vpci, id } = await reserved();
  world.script.failNext("vm", injected);
  await assertRejects(() => vpci.map(id), ShimError, "injected");
  await vpci.unmap(id);
  assertEquals([vpci.devices, vpci.reservations, world.said.length], [
    [],
    0,
    1,
  ]);
});

Deno.test("host:G15 host:G16 unmap() asks the host once, for the last reference, and never the guest", async () => {
  const { world, vpci, ids, guid } = await reserved(2);
  for (const id of ids) await vpci.map(id);
  await vpci.unmap(ids[0]!);
  assertEquals([states(vpci), world.said.length], [["Ready"], 2]);
  assertEquals(vpci.devices[0]?.references, 1);
  await vpci.unmap(ids[1]!);
  assertEquals([vpci.devices, world.said.slice(2)], [[], [
    `vm Remove device ${guid}`,
  ]]);
  assertEquals(world.requests[2], {
    ResourcePath: `VirtualMachine/Devices/VirtualPci/${guid}`,
    RequestType: "Remove",
  });
});

Deno.test("host:G17 host:G18 unmap() that the host fails throws it, and a retry succeeds", async () => {
  const { world, vpci, id } = await reserved();
  await vpci.map(id);
  for (let attempt = 0; attempt < 2; attempt++) {
    world.script.failNext("vm", injected);
    assertEquals(await vpci.unmap(id).catch((error) => error), injected);
    assertEquals([states(vpci), vpci.reservations], [["AssignedInvalid"], 1]);
  }
  await vpci.unmap(id);
  assertEquals([vpci.devices, vpci.reservations, world.isEmpty], [[], 0, true]);
});

Deno.test("host:G19 unmap() after the guest failed asks the host", async () => {
  const { world, vpci, id, guid } = await reserved();
  world.script.failNext("guest", injected);
  await assertRejects(() => vpci.map(id), ShimError, "injected");
  await vpci.unmap(id);
  assertEquals([vpci.devices, world.said.at(-1)], [
    [],
    `vm Remove device ${guid}`,
  ]);
});

Deno.test("host:G20 a device that was given back gets a new GUID", async () => {
  const { vpci, id, guid } = await reserved();
  await vpci.map(id);
  await vpci.unmap(id);
  const again = await vpci.map(await vpci.reserve(gpu));
  assertEquals(again === guid, false);
});

Deno.test("host:G21 a device keeps its GUID after the guest failed until it is given back", async () => {
  const { world, vpci, id, guid } = await reserved();
  world.script.failNext("guest", injected);
  await assertRejects(() => vpci.map(id), ShimError, "injected");
  const second = await vpci.reserve(gpu);
  assertEquals(vpci.devices.map((device) => device.guid), [guid]);
  await vpci.unmap(id);
  assertEquals(world.said.length, 2); // the second still holds it
  await vpci.unmap(second);
  await vpci.reserve(gpu);
  assertEquals([vpci.devices.length, vpci.devices[0]?.guid === guid], [
    1,
    false,
  ]);
});

Deno.test("host:G23 the host is told instance path, function and the affinity to NUMA nodes", async () => {
  const world = new DeviceWorld();
  const vpci = new VpciController(world);
  for (const device of [gpu, partOfGpu]) {
    await vpci.map(await vpci.reserve(device));
  }
  const { instancePath: DeviceInstancePath } = gpu;
  assertEquals(
    world.script.of("vm").map(({ argument }) =>
      (argument as { Settings: unknown }).Settings
    ),
    [
      { Functions: [{ DeviceInstancePath }], PropagateNumaAffinity: true },
      {
        Functions: [{ DeviceInstancePath, VirtualFunction: 3 }],
        PropagateNumaAffinity: true,
      },
    ],
  );
});

Deno.test("a device that the host does not have any more is given back", async () => {
  const { world, vpci, id } = await reserved();
  await vpci.map(id);
  world.script.failNext("vm", gone);
  await vpci.unmap(id);
  assertEquals([vpci.devices, vpci.reservations], [[], 0]);
});
