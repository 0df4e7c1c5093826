/**
 * Loop devices that free themselves: each clears itself when its last user is
 * gone, so that none outlives a shim that is killed.
 *
 * @module
 */

import { runTool } from "./command.ts";

/** A file as a block device. */
export interface LoopDevice {
  /** Device number. */
  readonly major: number;
  /** Device number. */
  readonly minor: number;
  /** Lets it go; it disappears with its last mount. */
  close(): void;
}

/** Splits `st_rdev` as glibc does. */
export function deviceNumber(rdev: number): { major: number; minor: number } {
  const bits = BigInt(rdev);
  return {
    major: Number(bits >> 8n & 0xfffn | bits >> 32n & ~0xfffn),
    minor: Number(bits & 0xffn | bits >> 12n & ~0xffn),
  };
}

/**
 * Makes a file a block device.
 *
 * @param path The image.
 * @param readOnly Refuse writes.
 * @throws {ShimError} When there is no free device or the file cannot be used.
 */
export async function attachLoop(
  path: string,
  readOnly: boolean,
): Promise<LoopDevice> {
  const flags = readOnly ? ["--read-only"] : [];
  const device = await runTool("losetup", [
    "--find",
    "--show",
    ...flags,
    path,
  ]);
  let handle: Deno.FsFile | undefined;
  try {
    handle = await Deno.open(device);
    const { rdev } = await handle.stat();
    // With a user left (the handle) the kernel only notes that the device is to
    // clear itself: from here on even a crash leaves nothing.
    await runTool("losetup", ["--detach", device]);
    const open = handle;
    return { ...deviceNumber(rdev ?? 0), close: () => open.close() };
  } catch (error) {
    handle?.close();
    await runTool("losetup", ["--detach", device]);
    throw error;
  }
}

/**
 * Detaches devices that a crash left in the short time before they would clear
 * themselves. Devices in use stay until their last user is gone.
 */
export async function detachLoopsOf(path: string): Promise<void> {
  const list = await runTool("losetup", [
    "--noheadings",
    "-O",
    "NAME",
    "-j",
    path,
  ]);
  for (const device of list.split("\n").filter((name) => name !== "")) {
    await runTool("losetup", ["--detach", device]);
  }
}
