import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import type { FakeClock } from "../../base/clock.ts";
import { PendingFiles } from "../../base/pending_files.ts";
import { ScsiDevices } from "./scsi_device.ts";

async function withTree(
  test: (
    tree: { sys: string; dev: string },
    clock: FakeClock,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const id = "0110f83b-de10-5172-a266-78bca56bf50a";
  await Deno.mkdir(`${folder}/sys/bus/vmbus/devices/${id}/host5`, {
    recursive: true,
  });
  await Deno.mkdir(`${folder}/dev`);
  using files = new PendingFiles();
  const { clock } = files;
  try {
    await test({ sys: `${folder}/sys`, dev: `${folder}/dev` }, clock);
  } finally {
    // A look that nobody waits for any more may still be under way.
    await clock.advance(0);
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Waits until something was looked for in vain: then the bound and the pause until
 * the next look are under way. What is found at once has its bound alone.
 */
async function untilMissed(clock: FakeClock): Promise<void> {
  while (clock.sleepers < 2) await clock.advance(0);
}

Deno.test("guest:M13 guest:M14 a device is waited for: its controller, its name, its partition, its node", () =>
  withTree(async (tree, clock) => {
    const devices = new ScsiDevices(clock, 5000, tree);
    const device = `${tree.sys}/bus/scsi/devices/5:0:0:7`;
    const found = devices.find({ controller: 1, lun: 7, partition: 1n });
    await clock.advance(30);
    await Deno.mkdir(`${device}/block/sdd/sdd1`, { recursive: true });
    await clock.advance(30);
    await Deno.writeTextFile(`${tree.dev}/sdd1`, "");
    while (clock.sleepers > 0) await clock.advance(10);
    assertEquals(await found, { node: `${tree.dev}/sdd1`, controller: 5 });
    await devices.unplug(1, 9);
    await Deno.writeTextFile(`${device}/delete`, "");
    await devices.unplug(1, 7);
    assertEquals(await Deno.readTextFile(`${device}/delete`), "1\n");
  }));

Deno.test("guest:M14 a device node whose driver is not ready is waited for", () =>
  withTree(async (tree, clock) => {
    const devices = new ScsiDevices(clock, 5000, tree);
    await Deno.mkdir(`${tree.sys}/bus/scsi/devices/5:0:0:7/block/sdd`, {
      recursive: true,
    });
    // As such a node, a socket cannot be opened: ENXIO.
    const path = `${tree.dev}/sdd`;
    using _socket = Deno.listen({ transport: "unix", path });
    const found = devices.find({ controller: 1, lun: 7, partition: 0n });
    found.catch(() => {});
    await clock.advance(30);
    await Deno.remove(path);
    await Deno.writeTextFile(path, "");
    while (clock.sleepers > 0) await clock.advance(10);
    assertEquals(await found, { node: path, controller: 5 });
  }));

Deno.test("guest:M13 guest:M14 a device or partition that does not appear, and a controller that cannot, are told", () =>
  withTree(async (tree, clock) => {
    const devices = new ScsiDevices(clock, 20, tree);
    const find = (controller: number): Promise<void> =>
      devices.find({ controller, lun: 7, partition: 0n }).then(() => {});
    const missing = assertRejects(() => find(1), Error, "SCSI disk 1:7");
    await untilMissed(clock);
    await clock.advance(20);
    await missing;
    await Deno.mkdir(`${tree.sys}/bus/scsi/devices/5:0:0:7/block/sdd`, {
      recursive: true,
    });
    const lost = assertRejects(
      () => devices.find({ controller: 1, lun: 7, partition: 1n }),
      ShimError,
      "partition 1",
    );
    await untilMissed(clock);
    await clock.advance(20);
    await lost;
    await assertRejects(() => find(4), Error, "SCSI controller 4");
  }));

Deno.test("the wait for a device ends with the agent", () =>
  withTree(async (tree, clock) => {
    const devices = new ScsiDevices(clock, 5000, tree);
    const quit = new AbortController();
    const address = { controller: 1, lun: 7, partition: 0n };
    const found = assertRejects(
      () => devices.find(address, quit.signal),
      Error,
      "the VM ends",
    );
    while (clock.sleepers === 0) await clock.advance(0);
    quit.abort(new Error("the VM ends"));
    await found;
    assertEquals(clock.sleepers, 0);
  }));
