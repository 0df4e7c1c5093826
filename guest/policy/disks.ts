/**
 * The questions about disks: a link, a read-only mount, or one that can be
 * written.
 *
 * @module
 */

import type { MappedVirtualDisk } from "../../bridge/messages.gen.ts";
import { requirePath } from "../storage/paths.ts";
import type { Question } from "./questions.ts";

/** Where a disk is mounted; undefined when it is not. */
function placeOf({ MountPath = "" }: MappedVirtualDisk): string | undefined {
  return MountPath === "" ? undefined : requirePath(MountPath, "MountPath");
}

/**
 * What is asked before a disk is mounted; undefined when nothing is mounted.
 *
 * @param rootHash Root hash of a verified disk, else empty.
 * @throws {ShimError} InvalidArgument for a path that is not right.
 */
export function diskMount(
  disk: MappedVirtualDisk,
  rootHash: string,
): Question | undefined {
  const path = placeOf(disk);
  if (path === undefined) return undefined;
  if (disk.BlockDev) return { name: "block device mount", path };
  if (disk.ReadOnly) return { name: "device mount", path, rootHash };
  return {
    name: "read-write device mount",
    path,
    encrypted: disk.Encrypted ?? false,
    ensureFilesystem: disk.EnsureFilesystem ?? false,
    filesystem: disk.Filesystem ?? "",
  };
}

/** Questions before the end of a mount. */
type DiskUnmount = Question & {
  readonly name:
    | "block device unmount"
    | "device unmount"
    | "read-write device unmount";
};

/**
 * What is asked before a disk is unmounted; undefined when nothing is.
 *
 * @throws {ShimError} InvalidArgument for a path that is not right.
 */
export function diskUnmount(disk: MappedVirtualDisk): DiskUnmount | undefined {
  const path = placeOf(disk);
  if (path === undefined) return undefined;
  if (disk.BlockDev) return { name: "block device unmount", path };
  if (disk.ReadOnly) return { name: "device unmount", path };
  return { name: "read-write device unmount", path };
}
