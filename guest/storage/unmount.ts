/**
 * Unmounting (`spec/guest-runtime.md` 14.8).
 *
 * @module
 */

import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { isErrno } from "../../ffi/linux/errno.ts";
import { unmount } from "../../ffi/linux/mount.ts";

/** Mounts that may stand on one place; more are left with a warning. */
const maxStacked = 5;

/** What unmounting needs; tests replace single functions. */
export interface UnmountPorts {
  /** Fails with NotFound for a missing path. */
  readonly lstat: (path: string) => Promise<unknown>;
  /** True when something was unmounted, false when nothing was mounted. */
  readonly unmount: (path: string) => Promise<boolean>;
  /** Removes a tree. */
  readonly remove: (path: string) => Promise<void>;
}

/** The kernel and the file system. */
export const unmountPorts: UnmountPorts = {
  lstat: (path) => Deno.stat(path),
  unmount: (path) => unmount(path),
  remove: removeTree,
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
 * Unmounts everything that is mounted on a place.
 *
 * @param target The place; a missing one is a success.
 * @param options `remove` removes the tree afterwards.
 * @throws {ErrnoError} EBUSY while it is in use.
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
  while (count < maxStacked && await ports.unmount(target)) count++;
  if (count === maxStacked) {
    // Removing the tree could delete what a further mount shows.
    log.warn("Mounts may be left", { target, unmounted: count });
    return;
  }
  if (options.remove) await ports.remove(target);
}

/** Mount points below or at a path, deepest (latest) first. */
async function mountsBelow(path: string): Promise<string[]> {
  const text = await Deno.readTextFile("/proc/self/mounts");
  const places = text.split("\n").flatMap((line) => {
    const place = line.split(" ")[1];
    if (place === undefined) return [];
    // Blanks and backslashes are written as octal numbers.
    const plain = place.replaceAll(
      /\\([0-7]{3})/g,
      (_whole, digits) => String.fromCharCode(parseInt(digits, 8)),
    );
    return plain === path || plain.startsWith(`${path}/`) ? [plain] : [];
  });
  return places.reverse();
}

/**
 * Unmounts everything below and at a path, children before parents, and removes
 * it. Failures are logged: this is the sweep behind what should have been
 * unmounted before.
 *
 * @returns True when nothing is left.
 */
export async function sweepMounts(
  path: string,
  options: { readonly log: Logger },
): Promise<boolean> {
  const { log } = options;
  try {
    for (const place of await mountsBelow(path)) await unmount(place);
    await removeTree(path);
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
  try {
    await Deno.remove(pod);
  } catch (error) {
    const left = error instanceof Deno.errors.NotFound ||
      isErrno(error, "ENOTEMPTY");
    if (!left) throw error;
  }
}
