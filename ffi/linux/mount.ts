/**
 * Mounts.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { ErrnoError, isErrno } from "./errno.ts";
import { check, cString, libc } from "./libc.ts";

/** Flags of mount(2), `linux/mount.h`. */
export const MountFlag = {
  /** Nothing can be written. */
  ReadOnly: 1n,
  /** Set-user-ID bits have no effect. */
  NoSuid: 2n,
  /** Device nodes have no effect. */
  NoDev: 4n,
  /** Nothing can be executed. */
  NoExec: 8n,
  /** Change the flags of a mount that exists. */
  Remount: 32n,
  /** Access times are not kept. */
  NoAtime: 1024n,
  /** Mount a directory or file at a second place. */
  Bind: 4096n,
  /** With Bind or a propagation: below the place as well. */
  Recursive: 16384n,
  /** Cannot be bound elsewhere. */
  Unbindable: 1n << 17n,
  /** No propagation in either direction. */
  Private: 1n << 18n,
  /** Propagation inwards only. */
  Slave: 1n << 19n,
  /** Propagation in both directions. */
  Shared: 1n << 20n,
} as const;

/** What is mounted where. */
export interface MountRequest {
  /** Device, directory or a name, depending on the type. */
  readonly source: string;
  /** Where; it must exist. */
  readonly target: string;
  /** File system; empty for binds and changes. */
  readonly type?: string;
  /** Of {@linkcode MountFlag}. */
  readonly flags?: bigint;
  /** Options of the file system, separated by commas. */
  readonly data?: string;
  /**
   * Try only once: what is mounted talks to somebody, whom the event loop must
   * not wait for. The reason of a failure then stays with the kernel.
   */
  readonly once?: boolean;
}

/** Bytes of options without their NUL: mount(2) copies at most one page. */
export const maxMountData = 4095;

/**
 * Mounts. A file system that must be read from a disk takes a thread of the
 * pool meanwhile, not the event loop.
 *
 * @throws {ErrnoError} When the kernel refuses.
 * @throws {RangeError} When the options are longer than the kernel takes.
 */
export async function mount(request: MountRequest): Promise<void> {
  const { source, target, type = "", flags = 0n, data = "" } = request;
  const kind = type === "" ? "" : ` as ${type}`;
  const what = `Cannot mount "${source}"${kind} on "${target}"`;
  const dataBytes = cString(data);
  if (dataBytes.length > maxMountData + 1) {
    throw new RangeError(
      `Cannot mount on "${target}": ${dataBytes.length - 1} bytes of options ` +
        `are more than the ${maxMountData} that mount(2) takes`,
    );
  }
  const args = [
    cString(source),
    cString(target),
    cString(type),
    flags,
    dataBytes,
  ] as const;
  if (await libc().mountBlocking(...args) === 0) return;
  if (request.once) throw await failureOf(what, type);
  // The error number stayed on the pool's thread: the same call here gives it,
  // or succeeds, when the reason has gone.
  check(libc().mount(...args), what);
}

/** Why a mount that is tried once failed, as far as it can be found out. */
async function failureOf(what: string, type: string): Promise<ShimError> {
  const names = await Deno.readTextFile("/proc/filesystems");
  const isKnown = names.split("\n")
    .some((line) => line.split("\t").at(-1) === type);
  if (!isKnown) return new ErrnoError(19, what);
  return new ShimError("Unknown", `${what}: the kernel refused; see its log`);
}

/**
 * Mounts a directory or file at a second place; with `readOnly` nothing can be
 * written through it.
 *
 * @throws {ErrnoError} When the kernel refuses; nothing stays mounted.
 */
export async function bindMount(
  source: string,
  target: string,
  options: { readOnly?: boolean; recursive?: boolean } = {},
): Promise<void> {
  const bind = MountFlag.Bind | (options.recursive ? MountFlag.Recursive : 0n);
  await mount({ source, target, flags: bind });
  if (!options.readOnly) return;
  try {
    // The kernel ignores the other flags in the call that makes a bind.
    const flags = MountFlag.Bind | MountFlag.Remount | MountFlag.ReadOnly;
    await mount({ source: "", target, flags });
  } catch (error) {
    await unmount(target);
    throw error;
  }
}

/** How a mount goes away. */
export interface UnmountOptions {
  /** Leave the tree at once, let go of the file system when it is idle. */
  readonly detach?: boolean;
}

const mntDetach = 2;

/**
 * Unmounts the topmost mount of a place.
 *
 * @returns False when nothing was mounted there.
 * @throws {ErrnoError} EBUSY while it is in use.
 */
export async function unmount(
  target: string,
  options: UnmountOptions = {},
): Promise<boolean> {
  const path = cString(target);
  const flags = options.detach ? mntDetach : 0;
  if (await libc().umount2Blocking(path, flags) === 0) return true;
  try {
    check(libc().umount2(path, flags), `Cannot unmount "${target}"`);
    return true;
  } catch (error) {
    // EINVAL: the path exists and is no mount point.
    if (isErrno(error, "EINVAL", "ENOENT")) return false;
    throw error;
  }
}
