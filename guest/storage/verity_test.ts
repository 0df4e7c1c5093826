import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { readVerity } from "./verity.ts";

/** Changes bytes of a disk. */
type Change = (disk: Uint8Array, view: DataView) => void;

const dataBlocks = 4;
const blockSize = 4096;
const hashes = dataBlocks * blockSize;

/** A disk: ext4's superblock, behind the data those of verity and one hash. */
function verifiedDisk(change: Change = () => {}): Uint8Array {
  const disk = new Uint8Array(hashes + 2 * blockSize);
  const view = new DataView(disk.buffer);
  view.setUint32(1024 + 4, dataBlocks, true);
  view.setUint32(1024 + 24, 2, true); // 1024 << 2
  view.setUint16(1024 + 56, 0xef53, true);
  const text = (at: number, value: string): void =>
    disk.set(new TextEncoder().encode(value), at);
  text(hashes, "verity\0\0");
  view.setUint32(hashes + 8, 1, true);
  view.setUint32(hashes + 12, 1, true);
  text(hashes + 32, "sha256");
  view.setUint32(hashes + 64, 512, true); // not used
  view.setBigUint64(hashes + 72, 9n, true); // not used
  view.setUint16(hashes + 80, 3, true);
  disk.set([0xab, 0x00, 0xcd], hashes + 88);
  disk.fill(0x5a, hashes + blockSize);
  change(disk, view);
  return disk;
}

async function read(disk: Uint8Array): ReturnType<typeof readVerity> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, disk);
    return await readVerity(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("readVerity() takes sizes from the file system, hash and salt from behind it", async () => {
  const salted = new Uint8Array(3 + blockSize).fill(0x5a);
  salted.set([0xab, 0x00, 0xcd]);
  const digest = await crypto.subtle.digest("SHA-256", salted);
  assertEquals(await read(verifiedDisk()), {
    hashType: 1,
    blockSize,
    dataBlocks: BigInt(dataBlocks),
    algorithm: "sha256",
    rootDigest: new Uint8Array(digest).toHex(),
    salt: "ab00cd",
  });
});

Deno.test("readVerity() refuses disks that are none, or that would write the table themselves", async () => {
  const rows: [Change, string][] = [
    [(_, view) => view.setUint16(1024 + 56, 0, true), "no ext4"],
    [(_, view) => view.setUint32(1024 + 24, 7, true), "ext4 superblock"],
    [(_, view) => view.setUint32(1024 + 4, 0, true), "ext4 superblock"],
    [(_, view) => view.setUint32(1024 + 4, 0xffff_ffff, true), "it ends"],
    [(disk) => disk[hashes] = 0, "no verity superblock"],
    [(_, view) => view.setUint32(hashes + 8, 2, true), "is not valid"],
    [(_, view) => view.setUint32(hashes + 12, 2, true), "is not valid"],
    [(disk) => disk[hashes + 33] = 0x20, "is not valid"],
    [(disk) => disk[hashes + 32] = 0, "is not valid"],
    [(_, view) => view.setUint16(hashes + 80, 257, true), "is not valid"],
  ];
  for (const [change, message] of rows) {
    const call = (): Promise<unknown> => read(verifiedDisk(change));
    const error = await assertRejects(call, ShimError, message);
    assertEquals(error.code, "FailedPrecondition");
  }
});
