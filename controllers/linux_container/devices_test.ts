import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { silentLogger } from "../../base/log.ts";
import type { WindowsDevice } from "../../oci/spec.gen.ts";
import { VpciController } from "../device/vpci/mod.ts";
import { DeviceWorld } from "../testing/device_world.ts";
import { assignDevices } from "./devices.ts";
import { ContainerResources } from "./resources.ts";

const injected = new ShimError("Internal", "injected");

/** A VM that takes devices. */
class VpciWorld {
  readonly devices = new DeviceWorld();
  readonly vpci = new VpciController(this.devices);
  readonly held = new ContainerResources(silentLogger);

  assign(...devices: WindowsDevice[]): Promise<WindowsDevice[]> {
    return assignDevices({ vpci: this.vpci }, devices, this.held);
  }

  /** Gives everything back. @returns Whether nothing is left. */
  async release(): Promise<boolean> {
    await this.held.release();
    return this.devices.isEmpty && this.vpci.reservations === 0;
  }
}

const card = "PCIP\\VEN_10DE\\5&1";

Deno.test("host:K37 no devices is a no-op", async () => {
  const world = new VpciWorld();
  assertEquals(await world.assign(), []);
  assertEquals([world.devices.said, world.held.isEmpty], [[], true]);
});

Deno.test("host:K38 a device of an unknown type is refused, before those behind it are looked at", async () => {
  for (const idType of ["class", "", "VPCI"]) {
    const world = new VpciWorld();
    const error = await assertRejects(
      () => world.assign({ id: card, idType }, { id: card, idType: "vpci" }),
      ShimError,
      `Cannot assign device "${card}": type "${idType}"`,
    );
    assertEquals(error.code, "InvalidArgument");
    assertEquals([world.devices.said, world.held.isEmpty], [[], true]);
  }
});

Deno.test("host:K39 devices get the ids by which the guest finds them, and keep their types", async () => {
  const world = new VpciWorld();
  const made = await world.assign(
    { id: card, idType: "vpci-instance-id" },
    { id: `${card}\\3`, idType: "vpci" },
    { id: "PCIP\\GPU", idType: "gpu" },
  );
  assertEquals(
    world.vpci.devices.map(({ config }) => config),
    [
      { instancePath: card, virtualFunction: 0 },
      { instancePath: card, virtualFunction: 3 },
      { instancePath: "PCIP\\GPU", virtualFunction: 0 },
    ],
  );
  assertEquals(
    made,
    ["vpci-instance-id", "vpci", "gpu"].map((idType, index) => ({
      id: world.vpci.devices[index]?.guid ?? "",
      idType,
    })),
  );
  assertEquals(await world.release(), true);
});

Deno.test("one device under two types is assigned once", async () => {
  const world = new VpciWorld();
  const [a, b] = await world.assign(
    { id: card, idType: "vpci" },
    { id: card, idType: "gpu" },
  );
  assertEquals([a?.id, world.devices.said.length], [b?.id, 2]);
  assertEquals(await world.release(), true);
});

Deno.test("host:K40 failures of reserving and of assigning are returned", async () => {
  const refusing = {
    reserve: () => Promise.reject(injected),
    map: () => Promise.reject(injected),
    unmap: () => Promise.resolve(),
  };
  const held = new ContainerResources(silentLogger);
  const devices = [{ id: card, idType: "vpci" }];
  const error = await assignDevices({ vpci: refusing }, devices, held)
    .catch((error) => error);
  assertEquals([error, held.isEmpty], [injected, true]);
  for (const side of ["vm", "guest"]) {
    const world = new VpciWorld();
    world.devices.script.failNext(side, injected);
    const error = await world.assign(...devices).catch((error) => error);
    assertEquals([error, await world.release()], [injected, true], side);
  }
});

Deno.test("host:K41 when the second device fails, the first is kept for the release", async () => {
  for (const side of ["vm", "guest"]) {
    const world = new VpciWorld();
    await world.assign({ id: card, idType: "vpci" });
    world.devices.script.failNext(side, injected);
    const error = await world.assign({ id: "PCIP\\B", idType: "gpu" })
      .catch((error) => error);
    assertEquals([error, world.vpci.devices.length], [injected, 2], side);
    assertEquals(await world.release(), true, side);
  }
});

Deno.test("a VM that takes no devices refuses them", async () => {
  const held = new ContainerResources(silentLogger);
  const error = await assertRejects(
    () => assignDevices({}, [{ id: card, idType: "gpu" }], held),
    ShimError,
    `Cannot assign device "${card}"`,
  );
  assertEquals(error.code, "NotImplemented");
});
