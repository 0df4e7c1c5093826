/**
 * An ext4 image with the hashes of dm-verity behind it, as `veritysetup` lays
 * them out.
 *
 * @module
 */

import type { RunProgram } from "../../guest/program.ts";

/** An image. */
export interface VerifiedImage {
  /** File system, superblock of the hashes, hashes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Contents of its one file `file`. */
  readonly text: string;
  /** Where they stand in the image. */
  readonly textAt: number;
  /** Hash of the block of hashes, hex. */
  readonly rootDigest: string;
}

const blockSize = 4096;

/** As many blocks as one block of hashes covers. */
const blocks = 128;

const saltSize = 32;

async function hash(
  salt: Uint8Array,
  block: Uint8Array,
): Promise<Uint8Array> {
  const salted = new Uint8Array(salt.length + block.length);
  salted.set(salt);
  salted.set(block, salt.length);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", salted));
}

/** Makes an image; `folder` takes what it needs meanwhile. */
export async function verifiedImage(
  folder: string,
  run: RunProgram,
): Promise<VerifiedImage> {
  const text = "verified words\n".repeat(100);
  const [source, path] = [`${folder}/source`, `${folder}/ext4`];
  await Deno.mkdir(source);
  await Deno.writeTextFile(`${source}/file`, text);
  await Deno.writeFile(path, new Uint8Array(blocks * blockSize));
  const options = ["-q", "-b", `${blockSize}`, "-O", "^has_journal"];
  await run("mkfs.ext4", [...options, "-d", source, path]);
  const data = await Deno.readFile(path);
  const salt = crypto.getRandomValues(new Uint8Array(saltSize));
  const bytes = new Uint8Array((blocks + 2) * blockSize);
  bytes.set(data);
  const superblock = blocks * blockSize;
  const view = new DataView(bytes.buffer, superblock);
  const encoder = new TextEncoder();
  bytes.set(encoder.encode("verity\0\0"), superblock);
  view.setUint32(8, 1, true); // version
  view.setUint32(12, 1, true); // hash type
  bytes.set(encoder.encode("sha256"), superblock + 32);
  view.setUint32(64, blockSize, true);
  view.setUint32(68, blockSize, true);
  view.setBigUint64(72, BigInt(blocks), true);
  view.setUint16(80, saltSize, true);
  bytes.set(salt, superblock + 88);
  const hashes = bytes.subarray(superblock + blockSize);
  for (let i = 0; i < blocks; i++) {
    const block = data.subarray(i * blockSize, (i + 1) * blockSize);
    hashes.set(await hash(salt, block), i * 32);
  }
  const rootDigest = (await hash(salt, hashes)).toHex();
  const start = new TextDecoder("latin1").decode(data).indexOf(
    "verified words",
  );
  return { bytes, text, textAt: start, rootDigest };
}
