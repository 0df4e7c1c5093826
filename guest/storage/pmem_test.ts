import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { silentLogger as log } from "../../base/log.ts";
import type { VPMemDevice } from "../../bridge/messages.gen.ts";
import { PmemMounts, type PmemPorts } from "./pmem.ts";
import type { MountOptions } from "./scsi.ts";

/** A VM whose calls are recorded; single ports may be replaced. */
function fake(overrides: Partial<PmemPorts> = {}): {
  calls: string[];
  mounts: PmemMounts;
} {
  const calls: string[] = [];
  const note = (text: string): Promise<void> =>
    Promise.resolve(void calls.push(text));
  const ports: PmemPorts = {
    waitForNode: (node) => note(`wait ${node}`),
    mount: ({ source, target, type, flags, data }) =>
      note(`mount ${source} ${target} ${type} ${flags} ${data}`),
    unmount: (target) => note(`unmount ${target}`),
    undoMount: (target) => note(`undo ${target}`),
    async verity(device) {
      await note(`verity ${device}`);
      const blocks = { blockSize: 4096, dataBlocks: 2n };
      const hash = { hashType: 1, algorithm: "sha256", salt: "" };
      return { ...blocks, ...hash, rootDigest: "hash" };
    },
    mapper: {
      async create(name, [target], options) {
        const { length, parameters } = target!;
        const mode = options?.readOnly ? "ro" : "rw";
        await note(`create ${name} ${length} ${mode}: ${parameters}`);
        return `/dev/mapper/${name}`;
      },
      remove: (name) => note(`remove ${name}`),
    },
    async makeFolder(path, mode) {
      await note(`mkdir ${path} ${mode.toString(8)}`);
      return true;
    },
    removeFolder: (path) => note(`rmdir ${path}`),
    ...overrides,
  };
  return { calls, mounts: new PmemMounts({ ports, log }) };
}

const MountPath = "/no/such/target";
const plain: VPMemDevice = { DeviceNumber: 0, MountPath };
const mapped: VPMemDevice = {
  ...plain,
  MappingInfo: { DeviceOffsetInBytes: 0n, DeviceSizeInBytes: 1024n },
};

const linear = "dm-linear-pmem0-0-1024";
const verity = "dm-verity-pmem0-hash";

const makeLinear = `create ${linear} 2 ro: /dev/pmem0 0`;
const makeVerity = (below: string): string =>
  `create ${verity} 16 ro: 1 ${below} ${below} 4096 4096 2 3 sha256 hash -`;
const makeTarget = `mkdir ${MountPath} 700`;
const mountOf = (source: string): string =>
  `mount ${source} ${MountPath} ext4 1 noload`;

const verify = (rootHash: string): Promise<void> =>
  Promise.resolve(assertEquals(rootHash, "hash"));

Deno.test("guest:N1 a target that cannot be made is told", async () => {
  const { calls, mounts } = fake();
  await mounts.add(plain);
  assertEquals(calls[1], makeTarget);
  const failure = new Error("no space");
  const full = fake({ makeFolder: () => Promise.reject(failure) });
  assertEquals(await assertRejects(() => full.mounts.add(plain)), failure);
});

Deno.test("guest:N2 guest:N3 a device is mounted read-only; only a failure removes its target", async () => {
  const { calls, mounts } = fake();
  await mounts.add(plain);
  assertEquals(calls, ["wait /dev/pmem0", makeTarget, mountOf("/dev/pmem0")]);
  const broken = fake({ mount: () => Promise.reject(new Error("bad")) });
  await assertRejects(() => broken.mounts.add(plain), Error, "bad");
  assertEquals(broken.calls.slice(2), [`rmdir ${MountPath}`]);
});

Deno.test("guest:N4 a part of a device is mounted through a linear device", async () => {
  const { calls, mounts } = fake();
  await mounts.add(mapped);
  const mount = mountOf(`/dev/mapper/${linear}`);
  assertEquals(calls.slice(1), [makeLinear, makeTarget, mount]);
});

Deno.test("guest:N5 a verified device is mounted through its device", async () => {
  const { calls, mounts } = fake();
  await mounts.add(plain, { verify });
  assertEquals(calls.slice(1), [
    "verity /dev/pmem0",
    makeVerity("/dev/pmem0"),
    makeTarget,
    mountOf(`/dev/mapper/${verity}`),
  ]);
});

Deno.test("guest:N6 the verified device stands on the linear one", async () => {
  const { calls, mounts } = fake();
  await mounts.add(mapped, { verify });
  assertEquals(calls.slice(1), [
    makeLinear,
    `verity /dev/mapper/${linear}`,
    makeVerity(`/dev/mapper/${linear}`),
    makeTarget,
    mountOf(`/dev/mapper/${verity}`),
  ]);
  calls.length = 0;
  await mounts.remove(mapped);
  assertEquals(calls, [
    `unmount ${MountPath}`,
    `rmdir ${MountPath}`,
    `remove ${verity}`,
    `remove ${linear}`,
  ]);
});

Deno.test("guest:N7 a failed mount removes the devices that were made, and is told", async () => {
  const failure = new Error("bad superblock");
  const rows: [VPMemDevice, MountOptions, string[]][] = [
    [mapped, {}, [linear]],
    [plain, { verify }, [verity]],
    [mapped, { verify }, [verity, linear]],
  ];
  for (const [device, options, removed] of rows) {
    const { calls, mounts } = fake({ mount: () => Promise.reject(failure) });
    const error = await assertRejects(() => mounts.add(device, options));
    assertEquals(error, failure);
    const undone = calls.slice(calls.indexOf(makeTarget) + 1);
    assertEquals(undone, [
      `rmdir ${MountPath}`,
      ...removed.map((name) => `remove ${name}`),
    ]);
  }
});

Deno.test("a device that stays busy does not fail the removal", async () => {
  const { mounts } = fake({
    mapper: {
      create: (name) => Promise.resolve(`/dev/mapper/${name}`),
      remove: () => Promise.reject(new Error("busy")),
    },
  });
  await mounts.add(mapped);
  await mounts.remove(mapped);
});

Deno.test("parts that are no sectors, and paths that are not right, change nothing", async () => {
  const { calls, mounts } = fake();
  const part = (offset: bigint, size: bigint): VPMemDevice => ({
    ...plain,
    MappingInfo: { DeviceOffsetInBytes: offset, DeviceSizeInBytes: size },
  });
  const bad = [part(0n, 0n), part(1n, 512n), part(512n, 513n), {}];
  for (const device of bad) {
    const error = await assertRejects(() => mounts.add(device), ShimError);
    assertEquals(error.code, "InvalidArgument");
  }
  await assertRejects(() => mounts.remove({}), ShimError, "MountPath");
  assertEquals(calls, []);
});
