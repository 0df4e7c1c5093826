/**
 * What storage does with a real kernel, one case per run, each in a mount
 * namespace of its own: `storage_cases.ts CASE`.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock as clock } from "../../base/clock.ts";
import { silentLogger as log } from "../../base/log.ts";
import { ErrnoError } from "../../ffi/linux/errno.ts";
import { descriptorDialer } from "../../guest/dial.ts";
import { ProgramError, type RunProgram } from "../../guest/program.ts";
import { findProgram } from "../../guest/runtime/detect.ts";
import { Crypt, cryptPorts } from "../../guest/storage/crypt.ts";
import {
  DeviceMapper,
  linearTarget,
} from "../../guest/storage/device_mapper.ts";
import { kernelOverlay } from "../../guest/storage/overlay.ts";
import { combineLayers, separateLayers } from "../../guest/storage/overlay.ts";
import { Plan9Mounts, plan9Ports } from "../../guest/storage/plan9.ts";
import { PmemMounts, pmemPorts } from "../../guest/storage/pmem.ts";
import { ScsiMounts, scsiPorts } from "../../guest/storage/scsi.ts";
import { servePlan9 } from "./plan9_server.ts";
import { verifiedImage } from "./verified_image.ts";

/** Every root hash is right: the kernel checks it. */
const verify = (): Promise<void> => Promise.resolve();

const run: RunProgram = async (program, args) => {
  const path = await findProgram(program, Deno.env.get("PATH") ?? "");
  if (path === undefined) throw new Error(`There is no ${program}`);
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args: [...args],
  }).output();
  const text = new TextDecoder();
  const output = text.decode(stdout) + text.decode(stderr);
  if (code !== 0) throw new ProgramError(program, code, output);
};

/** A block device of so many bytes over a file with these contents. */
async function withLoop(
  folder: string,
  contents: Uint8Array | number,
  test: (device: string, image: string) => Promise<void>,
): Promise<void> {
  const image = `${folder}/image`;
  await Deno.writeFile(image, new Uint8Array());
  if (typeof contents === "number") await Deno.truncate(image, contents);
  else await Deno.writeFile(image, contents);
  const { success, stdout, stderr } = await new Deno.Command("losetup", {
    args: ["--find", "--show", image],
  }).output();
  const text = new TextDecoder();
  assert(success, text.decode(stderr));
  const device = text.decode(stdout).trim();
  try {
    await test(device, image);
  } finally {
    await run("losetup", ["--detach", device]);
  }
}

const mapper = new DeviceMapper(clock, 2000);
const crypt = new Crypt(cryptPorts(run), clock, 2000);

function scsi(node: string): ScsiMounts {
  const find = () => Promise.resolve({ node, controller: 3 });
  const ports = scsiPorts({ find, run, mapper, crypt }, log);
  return new ScsiMounts({ ports, clock, log });
}

/** Names of this run, so that two runs do not meet. */
const own = `lcow-test-${Deno.pid}`;

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function sizeOf(device: string): Promise<number> {
  using file = await Deno.open(device);
  return await file.seek(0, Deno.SeekMode.End);
}

type Case = (folder: string) => Promise<void>;

/** Cases by name. */
const cases: Record<string, Case> = {
  async mapper() {
    const part = (start: bigint, length: bigint) => ({
      ...{ start, length, type: "error", parameters: "" },
    });
    const lower = await mapper.create(`${own}-lower`, [
      part(0n, 8n),
      part(8n, 16n),
    ]);
    try {
      assertEquals(await sizeOf(lower), 24 * 512);
      assertEquals(((await Deno.stat(lower)).mode ?? 0) & 0o777, 0o600);
      const read = await assertRejects(async () => {
        using file = await Deno.open(lower);
        await file.read(new Uint8Array(512));
      });
      assert(String(read).includes("os error 5"), String(read)); // EIO
      const upper = await mapper.create(
        `${own}-upper`,
        [linearTarget(lower, 4096n, 2048n)],
        { readOnly: true },
      );
      try {
        assertEquals(await sizeOf(upper), 2048);
        await assertRejects(async () => {
          using file = await Deno.open(upper, { write: true });
          await file.write(new Uint8Array(512));
          await file.sync();
        });
        await assertRejects(() => mapper.remove(`${own}-lower`), ErrnoError);
      } finally {
        await mapper.remove(`${own}-upper`);
      }
      assert(!await exists(upper));
      await mapper.remove(`${own}-upper`);
    } finally {
      await mapper.remove(`${own}-lower`);
    }
    assert(!await exists(lower));
    const missing = [linearTarget("/dev/none", 0n, 512n)];
    const short = new DeviceMapper(clock, 200);
    await assertRejects(() => short.create(`${own}-none`, missing), ErrnoError);
    await mapper.create(`${own}-none`, [part(0n, 1n)]); // the name is free
    await mapper.remove(`${own}-none`);
  },

  async verity(folder) {
    const image = await verifiedImage(folder, run);
    await withLoop(folder, image.bytes, async (device, path) => {
      const disk = { MountPath: `${folder}/mnt`, ReadOnly: true };
      const mounts = scsi(device);
      await mounts.add(disk, { verify });
      try {
        const name = `dm-verity-scsi-contr3-lun0-p0-${image.rootDigest}`;
        assert(await exists(`/dev/mapper/${name}`));
        const file = `${disk.MountPath}/file`;
        assertEquals(await Deno.readTextFile(file), image.text);
      } finally {
        await mounts.remove(disk);
      }
      assert(!await exists(disk.MountPath));
      // A block that was changed cannot be read.
      const changed = image.bytes.slice();
      changed[image.textAt]! ^= 1;
      await Deno.writeFile(path, changed, { create: false });
      await mounts.add(disk, { verify });
      try {
        const error = await assertRejects(
          () => Deno.readTextFile(`${disk.MountPath}/file`),
        );
        assert(String(error).includes("os error 5"), String(error)); // EIO
      } finally {
        await mounts.remove(disk);
      }
    });
  },

  async crypt(folder) {
    await withLoop(folder, 64 << 20, async (device) => {
      const disk = {
        MountPath: `${folder}/mnt`,
        Encrypted: true,
        EnsureFilesystem: true,
        Filesystem: "ext4",
      };
      const mounts = scsi(device);
      await mounts.add(disk);
      try {
        assert(await exists("/dev/mapper/dm-crypt-scsi-contr3-lun0-p0"));
        await Deno.writeTextFile(`${disk.MountPath}/secret`, "plain words");
        await run("sync", []);
      } finally {
        await mounts.remove(disk);
      }
      assert(!await exists("/dev/mapper/dm-crypt-scsi-contr3-lun0-p0"));
      const bytes = await Deno.readFile(`${folder}/image`);
      assert(!new TextDecoder("latin1").decode(bytes).includes("plain words"));
    });
  },

  async format(folder) {
    await withLoop(folder, 16 << 20, async (device) => {
      const mounts = scsi(device);
      const MountPath = `${folder}/a/mnt`;
      await assertRejects(
        () => mounts.add({ MountPath, Filesystem: "ext4" }),
        ErrnoError,
      );
      assert(!await exists(MountPath));
      const disk = { MountPath, EnsureFilesystem: true, Filesystem: "ext4" };
      await mounts.add(disk);
      await Deno.writeTextFile(`${MountPath}/kept`, "kept");
      await mounts.remove(disk);
      assert(!await exists(MountPath));
      // What holds the file system already is not formatted again.
      await mounts.add({ ...disk, Options: ["rw", "rshared"] });
      try {
        assertEquals(await Deno.readTextFile(`${MountPath}/kept`), "kept");
        const table = await Deno.readTextFile("/proc/self/mountinfo");
        const line = table.split("\n").find((text) => text.includes(MountPath));
        assert(line?.includes(" shared:"), line);
      } finally {
        await mounts.remove(disk);
      }
    });
  },

  async xfs(folder) {
    await withLoop(folder, 320 << 20, async (device) => {
      const mounts = scsi(device);
      const disk = {
        MountPath: `${folder}/mnt`,
        EnsureFilesystem: true,
        Filesystem: "xfs",
      };
      await mounts.add(disk);
      try {
        const table = await Deno.readTextFile("/proc/self/mounts");
        assert(table.includes(`${disk.MountPath} xfs rw`), table);
      } finally {
        await mounts.remove(disk);
      }
    });
  },

  async pmem(folder) {
    const image = await verifiedImage(folder, run);
    const shifted = new Uint8Array(image.bytes.length + 8192);
    shifted.set(image.bytes, 4096);
    const DeviceNumber = Deno.pid;
    const node = `/dev/pmem${DeviceNumber}`;
    await withLoop(folder, shifted, async (device) => {
      await run("cp", ["--archive", device, node]);
      const waitForNode = () => Promise.resolve();
      const ports = pmemPorts({ waitForNode, mapper }, log);
      const mounts = new PmemMounts({ ports, log });
      const memory = {
        DeviceNumber,
        MountPath: `${folder}/mnt`,
        MappingInfo: {
          DeviceOffsetInBytes: 4096n,
          DeviceSizeInBytes: BigInt(image.bytes.length),
        },
      };
      try {
        for (const options of [{}, { verify }]) {
          await mounts.add(memory, options);
          try {
            const file = `${memory.MountPath}/file`;
            assertEquals(await Deno.readTextFile(file), image.text);
          } finally {
            await mounts.remove(memory);
          }
          const left = await Array.fromAsync(Deno.readDir("/dev/mapper"));
          const prefix = `pmem${DeviceNumber}-`;
          assert(!left.some(({ name }) => name.includes(prefix)));
        }
      } finally {
        await Deno.remove(node);
      }
    });
  },

  async overlay(folder) {
    const names = Array.from({ length: 200 }, (_, i) => {
      const name = `layer-${String(i).padStart(3, "0")}-${"x".repeat(80)}`;
      return `${folder}/layers/${name}`;
    });
    for (const [i, path] of names.entries()) {
      await Deno.mkdir(path, { recursive: true });
      await Deno.writeTextFile(`${path}/file-${i}`, `${i}`);
      await Deno.writeTextFile(`${path}/shared`, `${i}`);
    }
    const ports = kernelOverlay(log);
    const root = `${folder}/bundle/rootfs`;
    const before = (await Array.fromAsync(Deno.readDir("/run"))).length;
    for (const scratch of ["", `${folder}/scratch`]) {
      await combineLayers({ root, layers: names, scratch }, log, ports);
      try {
        assertEquals(await Deno.readTextFile(`${root}/shared`), "0");
        assertEquals(await Deno.readTextFile(`${root}/file-199`), "199");
        const write = () => Deno.writeTextFile(`${root}/new`, "new");
        if (scratch === "") await assertRejects(write);
        else {
          await write();
          const upper = `${scratch}/upper/new`;
          assertEquals(await Deno.readTextFile(upper), "new");
        }
      } finally {
        const bundle = scratch === "" ? undefined : `${folder}/bundle`;
        await separateLayers(root, bundle, ports);
      }
      assert(!await exists(root));
    }
    const after = (await Array.fromAsync(Deno.readDir("/run"))).length;
    assertEquals(after, before);
    await ports.unmount(`${folder}/bundle`);
  },

  async share(folder) {
    const text = new TextEncoder().encode("from the host\n".repeat(10000));
    const files = new Map([["hello", text]]);
    const attached: string[] = [];
    using listener = listen(folder);
    const served = (async () => {
      using conn = await listener.accept();
      await servePlan9(conn, files, (name) => attached.push(name));
    })();
    await shares(folder, 10_000).add(share(folder));
    const { MountPath } = share(folder);
    try {
      assertEquals(attached, ["7"]);
      assertEquals(await Deno.readFile(`${MountPath}/hello`), text);
      await assertRejects(() => Deno.writeTextFile(`${MountPath}/no`, ""));
    } finally {
      await shares(folder, 10_000).remove(share(folder));
    }
    await served; // the kernel closed the connection
    assert(!await exists(MountPath));
  },

  async lostShare(folder) {
    using listener = listen(folder);
    const accepted = listener.accept();
    const files = new Map([["hello", new Uint8Array(8)]]);
    const served = accepted.then((conn) => servePlan9(conn, files));
    await shares(folder, 10_000).add(share(folder));
    const { MountPath } = share(folder);
    (await accepted).close();
    await served;
    const error = await assertRejects(() => Deno.stat(MountPath));
    assert(String(error).includes("os error 5"), String(error)); // EIO
    await shares(folder, 10_000).remove(share(folder));
    assert(!await exists(MountPath));
  },

  async silentShare(folder) {
    using listener = listen(folder);
    const silent = listener.accept();
    await assertRejects(
      () => shares(folder, 100).add(share(folder)),
      DOMException,
      "100 ms",
    );
    using conn = await silent;
    const bytes = new Uint8Array(1024);
    while (await conn.read(bytes) !== null);
    assert(!await exists(share(folder).MountPath));
  },

  async noShare(folder) {
    using listener = listen(folder);
    const accepted = listener.accept();
    const error = await assertRejects(
      () => shares(folder, 10_000).add(share(folder)),
      ErrnoError,
    );
    assertEquals(error.errno, "ENODEV");
    using conn = await accepted;
    assertEquals(await conn.read(new Uint8Array(1)), null);
    assert(!await exists(share(folder).MountPath));
  },
};

function listen(folder: string): Deno.Listener {
  return Deno.listen({ transport: "unix", path: `${folder}/564` });
}

function shares(folder: string, timeout: number): Plan9Mounts {
  const ports = plan9Ports(descriptorDialer(folder), log);
  return new Plan9Mounts({ ports, clock, timeout, log });
}

function share(folder: string) {
  const MountPath = `${folder}/mnt`;
  return { MountPath, Port: 564, ShareName: "7", ReadOnly: true };
}

if (import.meta.main) {
  const [name = ""] = Deno.args;
  const test = cases[name];
  if (test === undefined) throw new Error(`There is no case "${name}"`);
  const folder = await Deno.makeTempDir({ prefix: "storage-" });
  try {
    await test(folder);
  } catch (error) {
    console.error(error); // removing the folder may fail as well
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
