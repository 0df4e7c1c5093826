import { assertEquals, assertRejects } from "@std/assert";
import type { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { PendingFiles } from "../../base/pending_files.ts";
import { PciDevices } from "./pci.ts";

const id = "0110F83B-DE10-5172-A266-78BCA56BF50A";

async function withBus(
  test: (bus: {
    sys: string;
    device: string;
    clock: FakeClock;
    devices: PciDevices;
  }) => Promise<void>,
): Promise<void> {
  const sys = await Deno.makeTempDir();
  using files = new PendingFiles();
  const { clock } = files;
  const devices = new PciDevices(clock, 1000, sys);
  const device = `${sys}/bus/vmbus/devices/${id.toLowerCase()}`;
  try {
    await test({ sys, device, clock, devices });
  } finally {
    // A look that nobody waits for any more may still be under way.
    await clock.advance(0);
    await Deno.remove(sys, { recursive: true });
  }
}

Deno.test("guest:O9 the PCI bus of a device is waited for", () =>
  withBus(async ({ device, clock, devices }) => {
    const found = devices.onBus(id, "pci*");
    while (clock.sleepers === 0) await clock.advance(0);
    await Deno.mkdir(`${device}/pci1234:00`, { recursive: true });
    await Deno.mkdir(`${device}/driver`);
    while (clock.sleepers > 0) await clock.advance(10);
    assertEquals(await found, `${device}/pci1234:00`);
  }));

Deno.test("guest:O10 the location of a PCI device is its name on its bus", () =>
  withBus(async ({ device, devices }) => {
    await Deno.mkdir(`${device}/pci1234:00/1234:00:00.0`, { recursive: true });
    await Deno.mkdir(`${device}/pci1234:00/power`);
    assertEquals(await devices.location(id), "1234:00:00.0");
    assertEquals(
      await devices.find(id),
      `${device}/pci1234:00/1234:00:00.0`,
    );
  }));

Deno.test("a device that does not come, comes twice or is no GUID is told", () =>
  withBus(async ({ device, clock, devices }) => {
    const missing = assertRejects(() => devices.find(id), ShimError, "1000 ms");
    while (clock.sleepers === 0) await clock.advance(0);
    await clock.advance(1000);
    assertEquals((await missing).code, "DeadlineExceeded");
    await Deno.mkdir(`${device}/pci1:00`, { recursive: true });
    await Deno.mkdir(`${device}/pci2:00`);
    const twice = await assertRejects(() => devices.find(id), ShimError);
    assertEquals(twice.code, "FailedPrecondition");
    for (const wrong of ["", "*", "../..", `${id}/..`]) {
      const error = await assertRejects(() => devices.find(wrong), ShimError);
      assertEquals(error.code, "InvalidArgument");
    }
  }));
