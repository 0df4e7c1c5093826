/**
 * Unmounting (`spec/guest-runtime.md` 14.8).
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { isErrno } from "../../ffi/linux/errno.ts";
import { unmount } from "../../ffi/linux/mount.ts";
import { isInside } from "./paths.ts";

/** Mounts that may stand on one place; more are left with a warning. */
const maxStacked = 5;

/** What unmounting needs; tests replace single functions. */
export interface UnmountPorts {
  /** Fails with NotFound for a missing path. */
  readonly lstat: (path: string) => Promise<unknown>;
  /** True when something was unmounted, false when nothing was mounted. */
  readonly unmount: (path: string) => Promise<boolean>;
  /** Removes a mount point. */
  readonly remove: (path: string) => Promise<void>;
  /** Waits before the next attempt. */
  readonly pause: () => Promise<void>;
}

/** The kernel and the file system. */
export const unmountPorts: UnmountPorts = {
  lstat: (path) => Deno.stat(path),
  unmount: (path) => unmount(path),
  remove: removeMountPoint,
  pause: () => systemClock.sleep(defaultTimeouts.unmountRetry),
};

/** Removes a tree; a missing one is a success. */
export async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Removes a folder on which nothing is mounted any more; a missing one is a
 * success. A folder with something in it was never made for a mount: it stays,
 * and so does what is no folder, because the host can name any path. (REF removes
 * the whole tree.)
 */
export async function removeMountPoint(path: string): Promise<void> {
  try {
    if ((await Deno.lstat(path)).isDirectory) await Deno.remove(path);
  } catch (error) {
    const left = error instanceof Deno.errors.NotFound ||
      isErrno(error, "ENOTEMPTY");
    if (!left) throw error;
  }
}

/**
 * Unmounts one mount, which may be in use for a moment: a runtime that makes a
 * namespace of its own holds everything, and the kernel does not tell when it lets
 * go.
 */
async function unmountIdle(
  target: string,
  { unmount, pause }: UnmountPorts,
): Promise<boolean> {
  for (let attempt = 1;; attempt++) {
    try {
      return await unmount(target);
    } catch (error) {
      const again = isErrno(error, "EBUSY") &&
        attempt < defaultTimeouts.unmountAttempts;
      if (!again) throw error;
      await pause();
    }
  }
}

/**
 * Unmounts everything that is mounted on a place.
 *
 * @param target The place; a missing one is a success.
 * @param options `remove` removes the mount point afterwards.
 * @throws {ErrnoError} EBUSY when it stays in use for two seconds.
 */
export async function unmountAll(
  target: string,
  options: {
    readonly remove?: boolean;
    readonly log: Logger;
    readonly ports?: UnmountPorts;
  },
): Promise<void> {
  const { log, ports = unmountPorts } = options;
  try {
    await ports.lstat(target);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    log.warn("Nothing to unmount: the path does not exist", { target });
    return;
  }
  let count = 0;
  while (count < maxStacked && await unmountIdle(target, ports)) count++;
  if (count === maxStacked) {
    // Removing the tree could delete what a further mount shows.
    log.warn("Mounts may be left", { target, unmounted: count });
    return;
  }
  if (options.remove) await ports.remove(target);
}

/** Something mounted. */
export interface MountPoint {
  /** Where. */
  readonly place: string;
  /** Its file system. */
  readonly type: string;
}

/**
 * What is mounted, the earliest first.
 *
 * @param text Of `/proc/self/mounts`.
 */
export function mountPoints(text: string): MountPoint[] {
  return text.split("\n").flatMap((line) => {
    const [, place, type = ""] = line.split(" ");
    if (place === undefined) return [];
    // Blanks and backslashes are written as octal numbers.
    const plain = place.replaceAll(
      /\\([0-7]{3})/g,
      (_whole, digits) => String.fromCharCode(parseInt(digits, 8)),
    );
    return [{ place: plain, type }];
  });
}

/**
 * Mount points below or at a path, the latest first: children before parents.
 *
 * @param text Of `/proc/self/mounts`.
 */
export function mountsBelow(text: string, path: string): string[] {
  return mountPoints(text).map(({ place }) => place)
    .filter((place) => isInside(place, path)).reverse();
}

/** What sweeping needs; tests replace single functions. */
export interface SweepPorts {
  /** Text of `/proc/self/mounts`. */
  readonly mounts: () => Promise<string>;
  /** umount2(2). */
  readonly unmount: (path: string) => Promise<boolean>;
  /** Removes a tree. */
  readonly remove: (path: string) => Promise<void>;
}

const sweepPorts: SweepPorts = {
  mounts: () => Deno.readTextFile("/proc/self/mounts"),
  unmount: (path) => unmount(path),
  remove: removeTree,
};

/**
 * Unmounts everything below and at a path, children before parents, and removes
 * it. The first failure stops it and is logged: this is the sweep behind what
 * should have been unmounted before, and nothing is removed that is still
 * mounted.
 *
 * @returns True when nothing is left.
 */
export async function sweepMounts(
  path: string,
  options: { readonly log: Logger; readonly ports?: SweepPorts },
): Promise<boolean> {
  const { log, ports = sweepPorts } = options;
  try {
    for (const place of mountsBelow(await ports.mounts(), path)) {
      await ports.unmount(place);
    }
    await ports.remove(path);
    return true;
  } catch (error) {
    log.warn("Mounts are left", { path, error: messageOf(error) });
    return false;
  }
}

/** Folder of the pods of hosts with the second layout of paths. */
const podsFolder = "/run/gcs/pods/";

/**
 * Removes the folder of a pod when none of its containers is left.
 *
 * @param bundle Folder of a container that is gone.
 */
export async function removeEmptyPod(bundle: string): Promise<void> {
  if (!bundle.startsWith(podsFolder)) return;
  const pod = bundle.replace(/\/[^/]*$/, "");
  if (!pod.startsWith(podsFolder)) return;
  // Roots of virtual pods lie beside the bundles.
  for (const folder of [`${pod}/virtual-pods`, pod]) {
    try {
      await Deno.remove(folder);
    } catch (error) {
      const left = error instanceof Deno.errors.NotFound ||
        isErrno(error, "ENOTEMPTY");
      if (!left) throw error;
    }
  }
}
