/**
 * What the containers of a pod share below the root of their sandbox
 * (`spec/guest-runtime.md` 3).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { isInside, joinPath, parentOf } from "../storage/paths.ts";

/** Files of `/etc` that the guest writes for a container, by their names there. */
export const networkFiles = ["hostname", "hosts", "resolv.conf"] as const;

/** Paths of a pod, or of a standalone container. */
export interface PodFiles {
  /** Folder that the containers share. */
  readonly sandboxMounts: string;
  /** The same, in memory. */
  readonly sandboxTmpfsMounts: string;
  /** Folder of the file systems of huge pages. */
  readonly hugepages: string;
  /** Folder of the logs that the guest itself writes. */
  readonly logs: string;
}

/** The paths below the root of a sandbox, whatever kind of pod it has. */
export function podFiles(root: string): PodFiles {
  return {
    sandboxMounts: `${root}/sandboxMounts`,
    sandboxTmpfsMounts: `${root}/sandboxTmpfsMounts`,
    hugepages: `${root}/hugepages`,
    logs: `${root}/logs`,
  };
}

/** One of the {@linkcode networkFiles} of a pod. */
export function networkFilePath(
  root: string,
  name: (typeof networkFiles)[number],
): string {
  return `${root}/${name}`;
}

/**
 * The path of `rest` in a folder of the pod, by its components. (REF compares
 * texts, so that a neighbour whose name begins alike passes.)
 *
 * @throws {ShimError} InvalidArgument when it leaves the folder, or is it.
 */
export function pathInFolder(folder: string, rest: string): string {
  const path = joinPath(folder, rest);
  const isBelow = isInside(path, folder) && path !== folder;
  if (isBelow && !rest.includes("\0")) return path;
  throw new ShimError(
    "InvalidArgument",
    `Invalid path ${JSON.stringify(rest)}: it leaves "${folder}"`,
  );
}

/** True when something has the path, be it a link that leads nowhere. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Makes a folder that every user of the pod may write to, whatever the umask.
 * Missing folders above it become the same; what exists stays as it is.
 */
export async function makeOpenFolder(path: string): Promise<void> {
  if (await exists(path)) return;
  await makeOpenFolder(parentOf(path));
  try {
    await Deno.mkdir(path);
  } catch (error) {
    // Another container of the pod has just made it.
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw error;
  }
  await Deno.chmod(path, 0o777);
}
