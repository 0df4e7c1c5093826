/**
 * What a disk says of its own integrity: an ext4 file system, behind it the
 * superblock and the hashes of dm-verity (`spec/guest-runtime.md` 14.2).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";

/** How a device is verified. */
export interface VerityInfo {
  /** 0 of Chromium OS, 1 of today. */
  readonly hashType: number;
  /** Bytes of a block, of data and of hashes. */
  readonly blockSize: number;
  /** Blocks of the file system. */
  readonly dataBlocks: bigint;
  /** Name of the hash, `sha256`. */
  readonly algorithm: string;
  /** Hash of the topmost block of hashes, lower-case hex. */
  readonly rootDigest: string;
  /** Lower-case hex; may be empty. */
  readonly salt: string;
}

/** Reads `length` bytes from `offset`. */
export type ReadAt = (
  offset: number,
  length: number,
) => Promise<Uint8Array<ArrayBuffer>>;

/** ext4's superblock: little endian, at byte 1024 of the device. */
const ext4 = {
  at: 1024,
  size: 1024,
  blocks: 4,
  logBlockSize: 24,
  magic: 56,
  magicValue: 0xef53,
  /** 64 KiB, the largest block of ext4. */
  maxLogBlockSize: 6,
} as const;

/** Superblock of `veritysetup`, little endian. */
const superblock = {
  size: 4096,
  signature: "verity\0\0",
  version: 8,
  hashType: 12,
  algorithm: 32,
  algorithmSize: 32,
  saltSize: 80,
  salt: 88,
  maxSalt: 256,
} as const;

function damaged(device: string, reason: string): ShimError {
  return new ShimError(
    "FailedPrecondition",
    `Cannot verify "${device}": ${reason}`,
  );
}

/**
 * Reads how a device is verified. Block size and data size are those of the file
 * system: what the host wrote into the verity superblock about them is not used.
 * The version of the table is the superblock's hash type.
 *
 * @param device Its path, for messages.
 * @throws {ShimError} FailedPrecondition when it is not such a device.
 */
export async function parseVerity(
  device: string,
  read: ReadAt,
): Promise<VerityInfo> {
  const { blockSize, dataBlocks } = await readExt4(device, read);
  const at = blockSize * Number(dataBlocks);
  const block = await read(at, superblock.size);
  const text = new TextDecoder();
  const { signature, algorithmSize } = superblock;
  if (text.decode(block.subarray(0, signature.length)) !== signature) {
    throw damaged(device, "no verity superblock follows its file system");
  }
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const version = view.getUint32(superblock.version, true);
  const hashType = view.getUint32(superblock.hashType, true);
  const { algorithm: start } = superblock;
  const [algorithm = ""] = text.decode(
    block.subarray(start, start + algorithmSize),
  ).split("\0");
  const saltSize = view.getUint16(superblock.saltSize, true);
  // The words become a table of the device mapper, which blanks separate.
  const isRight = version === 1 && hashType <= 1 &&
    /^[a-z0-9-]+$/.test(algorithm) && saltSize <= superblock.maxSalt;
  if (!isRight) throw damaged(device, "its verity superblock is not valid");
  const salt = block.subarray(superblock.salt, superblock.salt + saltSize);
  const top = await read(at + superblock.size, superblock.size);
  const salted = new Uint8Array(salt.length + top.length);
  salted.set(salt);
  salted.set(top, salt.length);
  const digest = await crypto.subtle.digest("SHA-256", salted);
  return {
    hashType,
    blockSize,
    dataBlocks,
    algorithm,
    rootDigest: new Uint8Array(digest).toHex(),
    salt: salt.toHex(),
  };
}

async function readExt4(
  device: string,
  read: ReadAt,
): Promise<Pick<VerityInfo, "blockSize" | "dataBlocks">> {
  const block = await read(ext4.at, ext4.size);
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  if (view.getUint16(ext4.magic, true) !== ext4.magicValue) {
    throw damaged(device, "it holds no ext4 file system");
  }
  const log = view.getUint32(ext4.logBlockSize, true);
  const blocks = view.getUint32(ext4.blocks, true);
  if (log > ext4.maxLogBlockSize || blocks === 0) {
    throw damaged(device, "its ext4 superblock is not valid");
  }
  return { blockSize: 1024 << log, dataBlocks: BigInt(blocks) };
}

/** {@linkcode parseVerity} of a device. */
export async function readVerity(device: string): Promise<VerityInfo> {
  const file = await Deno.open(device);
  try {
    return await parseVerity(device, async (offset, length) => {
      const bytes = new Uint8Array(length);
      await file.seek(offset, Deno.SeekMode.Start);
      for (let at = 0; at < length;) {
        const n = await file.read(bytes.subarray(at));
        if (n === null) throw damaged(device, "it ends before its hashes do");
        at += n;
      }
      return bytes;
    });
  } finally {
    file.close();
  }
}
