import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { silentLogger as log } from "../../base/log.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { probeFileSystem, ScsiMounts, type ScsiPorts } from "./scsi.ts";
import { ScsiDevices } from "./scsi_device.ts";

// Undoing a failed mount unmounts its target.
Deno.test.beforeAll(() => void libc());

/** A VM whose calls are recorded; single ports may be replaced. */
function fake(overrides: Partial<ScsiPorts> = {}): {
  calls: string[];
  clock: FakeClock;
  mounts: ScsiMounts;
} {
  const calls: string[] = [];
  const note = (text: string): Promise<void> =>
    Promise.resolve(void calls.push(text));
  const ports: ScsiPorts = {
    find: async ({ controller, lun, partition }) => {
      await note(`find ${controller} ${lun} ${partition}`);
      return "/dev/sda";
    },
    mount: ({ source, target, type, flags, data }) =>
      note(`mount ${source} ${target} ${type} ${flags} ${data}`),
    bind: (source, target, options) =>
      note(`bind ${source} ${target} ${options?.readOnly}`),
    isDirectory: () => Promise.resolve(false),
    probe: () => Promise.resolve("ext4"),
    format: (program, args) => note(`${program} ${args.join(" ")}`),
    makeFolder: (path, mode) => note(`mkdir ${path} ${mode.toString(8)}`),
    removeTree: (path) => note(`remove ${path}`),
    ...overrides,
  };
  const clock = new FakeClock();
  return { calls, clock, mounts: new ScsiMounts({ ports, clock, log }) };
}

// Below a folder that does not exist: undoing finds nothing to unmount.
const MountPath = "/no/such/target";

Deno.test("guest:M1 guest:M2 guest:M4 a disk is looked up and mounted by its own file system", async () => {
  const { calls, mounts } = fake();
  await mounts.add({ MountPath, Controller: 1, Lun: 2, Partition: 3n });
  assertEquals(calls, [
    "find 1 2 3",
    `mkdir ${MountPath} 700`,
    `mount /dev/sda ${MountPath} ext4 0 `,
  ]);
  const broken = fake({
    makeFolder: () => Promise.reject(new Error("no space")),
  });
  await assertRejects(
    () => broken.mounts.add({ MountPath }),
    Error,
    "no space",
  );
});

Deno.test("guest:M3 a failed mount removes its target", async () => {
  const { calls, mounts } = fake({
    mount: () => Promise.reject(new Error("bad superblock")),
  });
  await assertRejects(() => mounts.add({ MountPath }), Error, "bad superblock");
  assertEquals(calls.at(-1), `remove ${MountPath}`);
});

Deno.test("a failed mount is told although its target cannot be removed", async () => {
  const { mounts } = fake({
    mount: () => Promise.reject(new Error("bad superblock")),
    removeTree: () => Promise.reject(new Error("busy")),
  });
  await assertRejects(() => mounts.add({ MountPath }), Error, "bad superblock");
});

Deno.test("guest:M5 a read-only ext4 is mounted without its journal", async () => {
  const { calls, mounts } = fake();
  await mounts.add({ MountPath, ReadOnly: true });
  assertEquals(calls.at(-1), `mount /dev/sda ${MountPath} ext4 1 noload`);
});

Deno.test("guest:M6 a disk is formatted only when it holds something else", async () => {
  const same = fake();
  const disk = { MountPath, EnsureFilesystem: true, Filesystem: "ext4" };
  await same.mounts.add(disk);
  assertEquals(same.calls.length, 3);
  const empty = fake({ probe: () => Promise.resolve(undefined) });
  await empty.mounts.add({ ...disk, Filesystem: "xfs" });
  assertEquals(empty.calls.slice(2), [
    "mkfs.xfs -f /dev/sda",
    `mount /dev/sda ${MountPath} xfs 0 `,
  ]);
  await assertRejects(
    () => empty.mounts.add({ ...disk, Filesystem: "ntfs" }),
    Error,
    '"ntfs"',
  );
});

Deno.test("a disk that is a directory is bound, neither probed nor formatted", async () => {
  const { calls, mounts } = fake({
    isDirectory: () => Promise.resolve(true),
    probe: () => Promise.reject(new Error("not a device")),
  });
  await mounts.add({
    MountPath,
    ReadOnly: true,
    EnsureFilesystem: true,
    Filesystem: "ext4",
    Options: ["ro", "rshared"],
  });
  assertEquals(calls.slice(2), [
    `bind /dev/sda ${MountPath} true`,
    `mount  ${MountPath} undefined ${(1n << 20n) | 16384n} undefined`,
  ]);
});

Deno.test("an unknown file system is looked for twice", async () => {
  const { mounts, clock } = fake({ probe: () => Promise.resolve(undefined) });
  const added = assertRejects(
    () => mounts.add({ MountPath }),
    Error,
    "no known file system",
  );
  await clock.advance(500);
  await added;
});

Deno.test("without a mount path the agent only waits for the disk", async () => {
  const { calls, mounts } = fake();
  await mounts.add({ Lun: 4 });
  await mounts.remove({ Lun: 4 });
  assertEquals(calls, ["find 0 4 0"]);
  await assertRejects(
    () => mounts.add({ Encrypted: true }),
    Error,
    "encrypted",
  );
});

async function withTree(
  test: (tree: { sys: string; dev: string }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const id = "0110f83b-de10-5172-a266-78bca56bf50a";
  await Deno.mkdir(`${folder}/sys/bus/vmbus/devices/${id}/host5`, {
    recursive: true,
  });
  await Deno.mkdir(`${folder}/dev`);
  try {
    await test({ sys: `${folder}/sys`, dev: `${folder}/dev` });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("guest:M13 guest:M14 a device is waited for: its controller, its name, its partition, its node", () =>
  withTree(async (tree) => {
    const clock = new FakeClock();
    const devices = new ScsiDevices(clock, 5000, tree);
    const device = `${tree.sys}/bus/scsi/devices/5:0:0:7`;
    const found = devices.find({ controller: 1, lun: 7, partition: 1n });
    await clock.advance(30);
    await Deno.mkdir(`${device}/block/sdd/sdd1`, { recursive: true });
    await clock.advance(30);
    await Deno.writeTextFile(`${tree.dev}/sdd1`, "");
    while (clock.sleepers > 0) await clock.advance(10);
    assertEquals(await found, `${tree.dev}/sdd1`);
    await devices.unplug(1, 9);
    await Deno.writeTextFile(`${device}/delete`, "");
    await devices.unplug(1, 7);
    assertEquals(await Deno.readTextFile(`${device}/delete`), "1\n");
  }));

Deno.test("a device node whose driver is not ready is waited for", () =>
  withTree(async (tree) => {
    const clock = new FakeClock();
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
    assertEquals(await found, path);
  }));

Deno.test("a device that does not appear, and a controller that cannot, are told", () =>
  withTree(async (tree) => {
    const clock = new FakeClock();
    const devices = new ScsiDevices(clock, 20, tree);
    const find = (controller: number): Promise<void> =>
      devices.find({ controller, lun: 7, partition: 0n }).then(() => {});
    const missing = assertRejects(() => find(1), Error, "SCSI disk 1:7");
    while (clock.sleepers === 0) await clock.advance(0);
    await clock.advance(20);
    await missing;
    await assertRejects(() => find(4), Error, "SCSI controller 4");
  }));

Deno.test("guest:M15 probeFileSystem() knows ext4 and erofs by their superblocks", async () => {
  const path = await Deno.makeTempFile();
  const probe = async (offset: number, magic: number[]): Promise<unknown> => {
    const bytes = new Uint8Array(4096);
    bytes.set(magic, offset);
    await Deno.writeFile(path, bytes);
    return await probeFileSystem(path);
  };
  try {
    assertEquals(await probe(1080, [0x53, 0xef]), "ext4");
    assertEquals(await probe(1024, [0xe2, 0xe1, 0xf5, 0xe0]), "erofs");
    assertEquals(await probe(0, [1]), undefined);
    await Deno.writeFile(path, new Uint8Array(3));
    assertEquals(await probeFileSystem(path), undefined);
  } finally {
    await Deno.remove(path);
  }
});
