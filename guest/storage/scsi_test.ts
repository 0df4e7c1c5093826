import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { silentLogger as log } from "../../base/log.ts";
import { probeFileSystem } from "./file_system.ts";
import { ScsiMounts, type ScsiPorts } from "./scsi.ts";

const verityInfo = {
  hashType: 1,
  blockSize: 4096,
  dataBlocks: 100n,
  algorithm: "sha256",
  rootDigest: "d1",
  salt: "5a",
};

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
      return { node: "/dev/sda", controller: 0 };
    },
    mount: ({ source, target, type, flags, data }) =>
      note(`mount ${source} ${target} ${type} ${flags} ${data}`),
    bind: (source, target, options) =>
      note(`bind ${source} ${target} ${options?.readOnly}`),
    isDirectory: () => Promise.resolve(false),
    probe: () => Promise.resolve("ext4"),
    unmount: (target) => note(`unmount ${target}`),
    undoMount: (target) => note(`undo ${target}`),
    verity: () => Promise.resolve(verityInfo),
    mapper: {
      async create(name, targets, options) {
        const table = targets.map(({ type, parameters }) => [type, parameters]);
        await note(`create ${name} ${table} ${options?.readOnly}`);
        return `/dev/mapper/${name}`;
      },
      remove: (name) => note(`remove device ${name}`),
    },
    crypt: {
      async open(source, name) {
        await note(`encrypt ${source} ${name}`);
        return `/dev/mapper/${name}`;
      },
      close: (name) => note(`close ${name}`),
    },
    run: (program, args) => note(`${program} ${args.join(" ")}`),
    async makeFolder(path, mode) {
      await note(`mkdir ${path} ${mode.toString(8)}`);
      return true;
    },
    removeFolder: (path) => note(`remove ${path}`),
    ...overrides,
  };
  const clock = new FakeClock();
  return { calls, clock, mounts: new ScsiMounts({ ports, clock, log }) };
}

/** Lets a mount come to its pause: it looks at real paths first. */
async function sleeping(clock: FakeClock): Promise<void> {
  while (clock.sleepers === 0) await clock.advance(0);
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
    removeFolder: () => Promise.reject(new Error("busy")),
  });
  await assertRejects(() => mounts.add({ MountPath }), Error, "bad superblock");
});

Deno.test("a mount whose propagation cannot be set is taken back alone", async () => {
  let mounts = 0;
  const { calls, mounts: disks } = fake({
    mount: () =>
      mounts++ > 0 ? Promise.reject(new Error("no")) : Promise.resolve(),
    makeFolder: () => Promise.resolve(false), // something is mounted there
  });
  const disk = { MountPath, Options: ["shared"] };
  await assertRejects(() => disks.add(disk), Error, "no");
  assertEquals(calls.slice(1), [`undo ${MountPath}`]);
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
  await sleeping(clock);
  await clock.advance(500);
  await added;
});

Deno.test("a read-only disk is never formatted", async () => {
  const { calls, mounts } = fake({ probe: () => Promise.resolve(undefined) });
  const disk = { MountPath, ReadOnly: true, EnsureFilesystem: true };
  await assertRejects(
    () => mounts.add({ ...disk, Filesystem: "ext4" }),
    Error,
    "read-only",
  );
  assertEquals(calls.slice(2), [`remove ${MountPath}`]);
});

Deno.test("without a mount path the agent only waits for the disk", async () => {
  const { calls, mounts } = fake();
  await mounts.add({ Lun: 4 });
  await mounts.remove({ Lun: 4 });
  assertEquals(calls, ["find 0 4 0"]);
});

const verity = "dm-verity-scsi-contr0-lun0-p0-d1";

const verify = (rootHash: string): Promise<void> =>
  Promise.resolve(assertEquals(rootHash, "d1"));

Deno.test("guest:M7 a verified disk is mounted through a device that checks it", async () => {
  const { calls, mounts } = fake();
  const disk = { MountPath, ReadOnly: true };
  await mounts.add(disk, { verify });
  const table = "1 /dev/sda /dev/sda 4096 4096 100 101 sha256 d1 5a";
  assertEquals(calls, [
    "find 0 0 0",
    `create ${verity} verity,${table} true`,
    `mkdir ${MountPath} 700`,
    `mount /dev/mapper/${verity} ${MountPath} ext4 1 noload`,
  ]);
  calls.length = 0;
  await mounts.remove(disk);
  assertEquals(calls, [
    `unmount ${MountPath}`,
    `remove ${MountPath}`,
    `remove device ${verity}`,
  ]);
});

Deno.test("a disk whose root hash is refused is not mounted", async () => {
  const { calls, mounts } = fake();
  const failure = new Error("another hash");
  const refusing = { verify: () => Promise.reject(failure) };
  const disk = { MountPath, ReadOnly: true };
  const error = await assertRejects(() => mounts.add(disk, refusing));
  assertEquals(error, failure);
  assertEquals(calls, ["find 0 0 0"]);
});

Deno.test("guest:M8 without a target folder the verified device goes", async () => {
  const failure = new Error("no space");
  const { calls, mounts } = fake({ makeFolder: () => Promise.reject(failure) });
  const disk = { MountPath, ReadOnly: true };
  const error = await assertRejects(() => mounts.add(disk, { verify }));
  assertEquals(error, failure);
  assertEquals(calls.slice(2), [`remove device ${verity}`]);
});

Deno.test("a verified device that stays busy does not fail the removal", async () => {
  const { mounts } = fake({
    mapper: {
      create: (name) => Promise.resolve(`/dev/mapper/${name}`),
      remove: () => Promise.reject(new Error("busy")),
    },
  });
  const disk = { MountPath, ReadOnly: true };
  await mounts.add(disk, { verify });
  await mounts.remove(disk);
});

const crypt = "dm-crypt-scsi-contr0-lun0-p0";
const encrypted = {
  MountPath,
  Encrypted: true,
  EnsureFilesystem: true,
  Filesystem: "xfs",
};

Deno.test("guest:M9 guest:M12 an encrypted disk is formatted and mounted through its device, and closed by name", async () => {
  const { calls, mounts } = fake();
  await mounts.add(encrypted);
  assertEquals(calls, [
    "find 0 0 0",
    `mkdir ${MountPath} 700`,
    `encrypt /dev/sda ${crypt}`,
    `mkfs.xfs -f /dev/mapper/${crypt}`,
    `mount /dev/mapper/${crypt} ${MountPath} xfs 0 `,
  ]);
  calls.length = 0;
  await mounts.remove(encrypted);
  assertEquals(calls, [
    `unmount ${MountPath}`,
    `remove ${MountPath}`,
    `close ${crypt}`,
  ]);
});

Deno.test("guest:M10 a failed format closes the encrypted device by name", async () => {
  const run = () => Promise.reject(new Error("mkfs.xfs ended with code 1"));
  const { calls, mounts } = fake({ run });
  await assertRejects(() => mounts.add(encrypted), Error, "code 1");
  assertEquals(calls.slice(3), [`close ${crypt}`, `remove ${MountPath}`]);
});

Deno.test("guest:M11 a failed encryption is tried twice, then removes the target and tells the cause", async () => {
  const failure = new Error("no cipher");
  let opens = 0;
  const { calls, mounts, clock } = fake({
    crypt: {
      open: () =>
        Promise.reject(new Error(`open ${++opens}`, { cause: failure })),
      close: () => Promise.reject(new Error("nothing to close")),
    },
  });
  const added = assertRejects(() => mounts.add(encrypted), Error, "open 2");
  await sleeping(clock);
  await clock.advance(500);
  assertEquals((await added).cause, failure);
  assertEquals(calls, [
    "find 0 0 0",
    `mkdir ${MountPath} 700`,
    `remove ${MountPath}`,
  ]);
});

Deno.test("an encrypted device that cannot be closed is told, and tried again", async () => {
  let busy = true;
  const { mounts } = fake({
    crypt: {
      open: (_source, name) => Promise.resolve(`/dev/mapper/${name}`),
      close: () => busy ? Promise.reject(new Error("busy")) : Promise.resolve(),
    },
  });
  await mounts.add(encrypted);
  await assertRejects(() => mounts.remove(encrypted), Error, "busy");
  busy = false;
  await mounts.remove(encrypted);
});

Deno.test("settings that contradict each other change nothing", async () => {
  const { calls, mounts } = fake();
  const rows: [Parameters<ScsiMounts["add"]>[0], string][] = [
    [{ ...encrypted, ReadOnly: true }, "read only"],
    [{ MountPath, Encrypted: true }, "Filesystem"],
    [{ MountPath: "relative" }, "MountPath"],
    [{ MountPath: "/a/../b" }, "MountPath"],
    [{ MountPath: "//." }, "MountPath"],
    [{ MountPath: "/a\0b" }, "MountPath"],
  ];
  for (const [disk, message] of rows) {
    await assertRejects(() => mounts.add(disk), ShimError, message);
  }
  assertEquals(calls, []);
  const directory = fake({ isDirectory: () => Promise.resolve(true) });
  await assertRejects(
    () => directory.mounts.add(encrypted),
    Error,
    "directory",
  );
});

Deno.test("a block device is linked, and only a link is removed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { calls, mounts } = fake();
    const disk = { MountPath: `${folder}/dev/disk`, BlockDev: true };
    await Deno.mkdir(`${folder}/dev`);
    await mounts.add(disk);
    assertEquals(await Deno.readLink(disk.MountPath), "/dev/sda");
    // What follows would lead through the link.
    await assertRejects(
      () => mounts.add({ MountPath: `${disk.MountPath}/below` }),
      Error,
      "symbolic link",
    );
    await mounts.remove(disk);
    await mounts.remove(disk);
    await assertRejects(
      () => mounts.remove({ MountPath: `${folder}/dev`, BlockDev: true }),
      ShimError,
      "no link",
    );
    assertEquals(calls.filter((call) => call.startsWith("mount")), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

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
