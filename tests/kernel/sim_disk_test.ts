/**
 * The disks of machines of the simulated host, with real loop devices.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { HResult } from "../../base/hresult.ts";
import { ShimError } from "../../base/errors.ts";
import {
  inLab,
  loopsOf,
  machineDocument,
  refused,
  scsi,
} from "./sim_fixture.ts";

async function image(dir: string): Promise<string> {
  const path = `${dir}/disk.img`;
  await Deno.mkdir(`${dir}/content`);
  await Deno.writeTextFile(`${dir}/content/hello`, "from the image");
  const { success } = await new Deno.Command("mkfs.ext4", {
    args: ["-q", "-d", `${dir}/content`, path, "8M"],
    stderr: "null",
  }).output();
  assert(success);
  return path;
}

Deno.test("a directory becomes a disk, and goes away again", () =>
  inLab(async ({ dir, boot }) => {
    await Deno.mkdir(`${dir}/layer`);
    await Deno.writeTextFile(`${dir}/layer/hello`, "from the host");
    await Deno.symlink(`${dir}/layer`, `${dir}/link`);
    const machine = await boot("a@vm");
    const entry = "/sys/bus/scsi/devices/0:0:0:5";
    await machine.system.modify(
      scsi(5, "Add", { Type: "VirtualDisk", Path: `${dir}/link` }),
    );
    const name = await machine.sh(`ls ${entry}/block`);
    assertEquals(await machine.sh(`cat /dev/${name}/hello`), "from the host");
    await machine.sh(
      `mkdir /run/l && mount --bind /dev/${name}/. /run/l && cat /run/l/hello && umount /run/l && echo 1 >${entry}/delete`,
    );
    await machine.system.modify(scsi(5, "Remove"));
    assertEquals(
      await machine.sh(`ls ${entry} /dev/${name} 2>&1 || :; :`),
      [
        `ls: cannot access '${entry}': No such file or directory`,
        `ls: cannot access '/dev/${name}': No such file or directory`,
      ].join("\n"),
    );
    await machine.end();
  }));

Deno.test("an ext4 image becomes a disk that can be mounted", () =>
  inLab(async ({ dir, boot }) => {
    const path = await image(dir);
    const machine = await boot("a@vm");
    await machine.system.modify(
      scsi(0, "Add", { Type: "VirtualDisk", Path: path, ReadOnly: true }),
    );
    const name = await machine.sh("ls /sys/bus/scsi/devices/0:0:0:0/block");
    assertEquals(name, "sda");
    const content = await machine.sh(
      "mkdir /run/i && mount -t ext4 -o ro,noload /dev/sda /run/i && cat /run/i/hello && umount /run/i",
    );
    assertEquals(content, "from the image");
    await machine.system.modify(scsi(0, "Remove"));
    await machine.end();
  }));

Deno.test("a mounted image does not outlive its machine", () =>
  inLab(async ({ dir, boot }) => {
    const path = await image(dir);
    const machine = await boot(
      "a@vm",
      machineDocument({
        attachments: { "3": { Type: "VirtualDisk", Path: path } },
      }),
    );
    await machine.sh("mkdir /run/i && mount /dev/sda /run/i && touch /run/i/x");
    assertEquals((await loopsOf(dir)).length, 1);
    await machine.end();
  }));

Deno.test("an image that cannot be attached is let go, and can be attached later", () =>
  inLab(async ({ dir, boot }) => {
    const disk = { Type: "VirtualDisk", Path: await image(dir) };
    const machine = await boot("a@vm");
    const add = () => machine.system.modify(scsi(0, "Add", disk));
    const entry = "/sys/bus/scsi/devices/0:0:0:0";
    await machine.sh("touch /dev/sda");
    await assertRejects(add, ShimError, "mknod");
    await machine.sh(`rm /dev/sda && mkdir -p ${entry}`);
    await assertRejects(add, Deno.errors.AlreadyExists);
    await add();
    assertEquals(await machine.sh(`ls ${entry}/block`), "sda");
    await machine.system.modify(scsi(0, "Remove"));
    await machine.end();
  }));

Deno.test("modify() refuses disks that cannot be, and keeps running", () =>
  inLab(async ({ dir, boot }) => {
    const machine = await boot("a@vm");
    const { system } = machine;
    const disk = { Type: "VirtualDisk", Path: dir };
    await system.modify(scsi(1, "Add", disk));
    await refused(() => system.modify(scsi(1, "Add", disk)), 0x800700b7);
    await refused(() => system.modify(scsi(2, "Remove")), 0x80070490);
    await refused(
      () => system.modify(scsi(2, "Add", { ...disk, Path: `${dir}/gone` })),
      0x80070002,
      `${dir}/gone`,
    );
    await refused(
      () =>
        system.modify(
          scsi(2, "Add", { ...disk, Type: "ExtensibleVirtualDisk" }),
        ),
      0x80070032,
    );
    await refused(
      () => system.modify(scsi(2, "Add", { ...disk, Typo: 1 })),
      HResult.InvalidJson,
      "$.Settings",
    );
    await refused(
      () =>
        system.modify({
          ResourcePath: "VirtualMachine/Devices/Plan9/Shares",
          RequestType: "Add",
          Settings: {},
        }),
      0x80070032,
    );
    await refused(
      () => system.modify({ ResourcePath: "VirtualMachine/Nonsense" }),
      HResult.InvalidArgument,
    );
    assertEquals(await machine.sh("echo fine"), "fine");
    await machine.end();
  }));

Deno.test("a disk of the document that is missing fails the start", () =>
  inLab(async ({ host, dir }) => {
    const attachments = {
      "0": { Type: "VirtualDisk", Path: `${dir}/gone.vhd` },
    };
    const system = await host.create(
      "a@vm",
      machineDocument({ attachments }),
    );
    await refused(() => system.start(), HResult.Fail, `${dir}/gone.vhd`);
    await system.close();
  }));
