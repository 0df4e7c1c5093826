/**
 * Paths of the VM that the host names.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";

/** Joins and cleans a path: no empty, `.` or `..` components. */
export function joinPath(...parts: readonly string[]): string {
  const result: string[] = [];
  for (const part of parts.join("/").split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") result.pop();
    else result.push(part);
  }
  return `/${result.join("/")}`;
}

/** Folder that holds `path`. */
export function parentOf(path: string): string {
  return path.replace(/\/+$/, "").replace(/\/[^/]*$/, "") || "/";
}

/** True when `path` is `folder` or lies in it, component by component. */
export function isInside(path: string, folder: string): boolean {
  const base = folder.replace(/\/+$/, "");
  return path.replace(/\/+$/, "") === base || path.startsWith(`${base}/`);
}

/**
 * Checks a path of the host.
 *
 * @param path What the host named.
 * @param member Member of the message, for the message of the error.
 * @returns The path without empty and `.` components.
 * @throws {ShimError} InvalidArgument for a path that is relative, the root, or
 * that goes upwards.
 */
export function requirePath(path: string, member: string): string {
  const clean = joinPath(path);
  const isRight = path.startsWith("/") && clean !== "/" &&
    !path.includes("\0") && !path.split("/").includes("..");
  if (isRight) return clean;
  throw new ShimError(
    "InvalidArgument",
    `Invalid ${member} ${JSON.stringify(path)}: it must be an absolute path ` +
      'below "/" without ".."',
  );
}

/**
 * Refuses a path that goes through a symbolic link. Disks hold what their makers
 * want: a link there would lead a mount out of the disk into the VM.
 *
 * @param path An absolute, clean path; it may not exist yet.
 * @throws {ShimError} InvalidArgument, naming the link.
 */
export async function refuseLinks(path: string): Promise<void> {
  let at = "";
  for (const part of path.split("/").slice(1)) {
    at += `/${part}`;
    try {
      const { isSymlink } = await Deno.lstat(at);
      if (!isSymlink) continue;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    throw new ShimError(
      "InvalidArgument",
      `Cannot use "${path}": "${at}" is a symbolic link`,
    );
  }
}

/**
 * Makes a folder with those above it.
 *
 * @returns False when it existed.
 * @throws {ShimError} FailedPrecondition when something else has the path.
 */
export async function makeFolder(path: string, mode: number): Promise<boolean> {
  try {
    const { isDirectory } = await Deno.stat(path);
    if (isDirectory) return false;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.mkdir(path, { recursive: true, mode });
    return true;
  }
  throw new ShimError(
    "FailedPrecondition",
    `Cannot make folder "${path}": it exists and is none`,
  );
}
