/**
 * Sources of bind mounts on disks and shares of the host, whose links must not
 * lead into the VM.
 *
 * @module
 */

import type { Mount, Spec } from "../../oci/spec.gen.ts";
import { blockDevicePrefix } from "../../oci/mounts.ts";
import { isInside, joinPath, resolveInRoot } from "../storage/paths.ts";
import { type MountPoint, mountPoints } from "../storage/unmount.ts";

/** File systems of the VM itself, whose links are its own. */
const ownTypes = new Set([
  ...["rootfs", "tmpfs", "devtmpfs", "proc", "sysfs", "devpts", "mqueue"],
  ...["cgroup", "cgroup2", "hugetlbfs"],
]);

/** True for a bind of a path that is to be taken as it is. */
function isBind({ destination, source, type, options = [] }: Mount): boolean {
  const isBound = type === "bind" || options.includes("bind") ||
    options.includes("rbind");
  return isBound && source?.startsWith("/") === true &&
    !destination.startsWith(blockDevicePrefix);
}

/** What the host mounted where a path leads; undefined in the VM itself. */
function hostMountOf(
  path: string,
  points: readonly MountPoint[],
): string | undefined {
  let deepest: MountPoint | undefined;
  for (const point of points) {
    const isDeeper = isInside(path, point.place) &&
      point.place.length >= (deepest?.place.length ?? 0);
    if (isDeeper) deepest = point;
  }
  if (deepest === undefined || deepest.place === "/") return undefined;
  return ownTypes.has(deepest.type) ? undefined : deepest.place;
}

/**
 * Resolves the sources of bind mounts that lie on what the host mounted as if
 * that was all there is: a link on a disk, or in a share, leads to a place there.
 * (REF follows it into the VM.)
 *
 * @param table Reads `/proc/self/mounts`.
 */
export async function confineMounts(
  spec: Spec,
  table = () => Deno.readTextFile("/proc/self/mounts"),
): Promise<void> {
  const binds = (spec.mounts ?? []).filter(isBind);
  if (binds.length === 0) return;
  const points = mountPoints(await table());
  for (const mount of binds) {
    const source = joinPath(mount.source!);
    const root = hostMountOf(source, points);
    if (root === undefined) continue;
    mount.source = await resolveInRoot(root, source.slice(root.length));
  }
}
