import { assertEquals, assertRejects } from "@std/assert";
import { PendingFiles } from "../../base/pending_files.ts";
import { ScsiDevices } from "./scsi_device.ts";

Deno.test("without a bus of Hyper-V, SCSI controllers are counted as the kernel does", async () => {
  const sys = await Deno.makeTempDir();
  try {
    for (const host of ["host10", "host2"]) {
      await Deno.mkdir(`${sys}/class/scsi_host/${host}`, { recursive: true });
    }
    using files = new PendingFiles();
    const { clock } = files;
    const devices = new ScsiDevices(clock, 100, { sys, dev: "/dev" });
    assertEquals(await devices.controllerNumber(0), 2);
    assertEquals(await devices.controllerNumber(1), 10);
    const missing = assertRejects(
      () => devices.controllerNumber(2),
      Error,
      "SCSI controller 2",
    );
    while (clock.now() < 100 || clock.sleepers > 0) await clock.advance(10);
    await missing;
  } finally {
    await Deno.remove(sys, { recursive: true });
  }
});
