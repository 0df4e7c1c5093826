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

/** Links that a path may lead through (`MAXSYMLINKS` of Linux). */
const maxLinks = 40;

/** Where a symbolic link leads to; undefined for what is none, or missing. */
async function linkTarget(path: string): Promise<string | undefined> {
  try {
    const { isSymlink } = await Deno.lstat(path);
    return isSymlink ? await Deno.readLink(path) : undefined;
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isMissing) return undefined;
    throw error;
  }
}

/**
 * Where a path leads in a folder that others may write to, seen by a process
 * whose root is that folder: neither `..` nor a link leaves it. (REF follows
 * links out of it.) Who still writes there may change what was found.
 *
 * @param root The folder: an absolute, clean path.
 * @param path A path in it; it may not exist yet.
 * @returns The path without links below `root`; `root` itself at the least.
 * @throws {ShimError} InvalidArgument for links that lead round and round.
 */
export async function resolveInRoot(
  root: string,
  path: string,
): Promise<string> {
  const rest = path.split("/").reverse();
  const at: string[] = [];
  for (let links = 0; rest.length > 0;) {
    const part = rest.pop()!;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      at.pop();
      continue;
    }
    const target = await linkTarget([root, ...at, part].join("/"));
    if (target === undefined) {
      at.push(part);
      continue;
    }
    if (++links > maxLinks) {
      throw new ShimError(
        "InvalidArgument",
        `Cannot use "${path}" in "${root}": too many symbolic links`,
      );
    }
    if (target.startsWith("/")) at.length = 0;
    rest.push(...target.split("/").reverse());
  }
  return [root, ...at].join("/");
}

/**
 * Writes a file of the agent anew. What had its path goes, so that a link, which
 * a disk may hold, is not followed.
 *
 * @throws What the file system refuses, for example when a folder has the path.
 */
export async function writeNewFile(
  path: string,
  text: string,
  mode = 0o666,
): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.writeTextFile(path, text, { createNew: true, mode });
}
