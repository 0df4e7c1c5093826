/**
 * File systems of disks: found by their superblocks, made by their programs.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import type { RunProgram } from "../program.ts";

/** Offset, bytes and name of the superblocks that are told apart. */
const superblocks: readonly (readonly [
  offset: number,
  magic: readonly number[],
  name: string,
])[] = [
  [1024 + 56, [0x53, 0xef], "ext4"], // s_magic 0xEF53 of ext2, ext3 and ext4
  [1024, [0xe2, 0xe1, 0xf5, 0xe0], "erofs"], // EROFS_SUPER_MAGIC_V1
];

/** The file system of a device, by its superblock; undefined for any other. */
export async function probeFileSystem(
  device: string,
): Promise<string | undefined> {
  const file = await Deno.open(device);
  try {
    for (const [offset, magic, name] of superblocks) {
      const bytes = new Uint8Array(magic.length);
      await file.seek(offset, Deno.SeekMode.Start);
      const n = await file.read(bytes);
      if (n === magic.length && magic.every((byte, i) => bytes[i] === byte)) {
        return name;
      }
    }
    return undefined;
  } finally {
    file.close();
  }
}

/** How a file system is made. */
const formatters: Readonly<
  Record<string, (device: string) => [program: string, args: string[]]>
> = {
  ext4: (device) => ["mkfs.ext4", [device]],
  xfs: (device) => ["mkfs.xfs", ["-f", device]],
};

/**
 * Makes a file system; what was on the device is lost.
 *
 * @throws {ShimError} InvalidArgument for an unsupported one.
 */
export async function format(
  device: string,
  type: string,
  run: RunProgram,
  signal?: AbortSignal,
): Promise<void> {
  const formatter = Object.hasOwn(formatters, type)
    ? formatters[type]
    : undefined;
  if (formatter === undefined) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot format "${device}": unsupported file system "${type}"`,
    );
  }
  const [program, args] = formatter(device);
  await run(program, args, { signal });
}

/** Milliseconds until the second look: a disk may be slower than its node. */
const secondLook = 500;

/**
 * Does something with a disk, once more after a moment when it is not ready.
 *
 * @param task Answers undefined, or rejects, while it is not.
 */
export async function twice<T>(
  task: () => Promise<T | undefined>,
  clock: Clock,
  signal?: AbortSignal,
): Promise<T | undefined> {
  try {
    const result = await task();
    if (result !== undefined) return result;
  } catch {
    // The second failure is the one that counts.
  }
  await clock.sleep(secondLook, signal);
  return await task();
}
