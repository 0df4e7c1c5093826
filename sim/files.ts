/**
 * The files of the simulated host: POSIX paths, and a boot directory whose files
 * only have to exist.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import { readBytes } from "../base/read_file.ts";
import type { HostFiles } from "../hcs/ports.ts";
import { projectRoot } from "./project.ts";

/** Holds files that stand for a kernel and its root file system. */
const bootDirectory = `${projectRoot}/sim/boot`;

/** Joins with `/` and resolves `.` and `..`; an absolute first part stays absolute. */
function join(...parts: readonly string[]): string {
  const text = parts.filter((part) => part !== "").join("/");
  const rooted = text.startsWith("/");
  const kept: string[] = [];
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!rooted) kept.push(part);
  }
  return (rooted ? "/" : "") + kept.join("/") || ".";
}

/** Asks about a path; what is not there is a NotFound that names it. */
async function ask<T>(path: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (cause) {
    const gone = cause instanceof Deno.errors.NotFound ||
      cause instanceof Deno.errors.NotADirectory;
    if (!gone) throw cause;
    const message = `"${path}" not found: ${messageOf(cause)}`;
    throw new ShimError("NotFound", message, { cause });
  }
}

/** The files of a Linux machine. */
export const linuxFiles: HostFiles = {
  join,
  resolve: (path) => ask(path, () => Deno.realPath(path)),
  stat: async (path) => {
    const { isDirectory } = await ask(path, () => Deno.stat(path));
    return isDirectory ? "directory" : "file";
  },
  read: (path) => ask(path, () => readBytes(path)),
  copy: (from, to) => ask(from, () => Deno.copyFile(from, to)),
  // A simulated machine reads files in the name of this process: nothing to grant.
  grantVmGroup: async (path) => {
    await ask(path, () => Deno.stat(path));
  },
  defaultBootDirectory: () => Promise.resolve(bootDirectory),
  bootFiles: async (directory) => {
    const entries = await ask(
      directory,
      () => Array.fromAsync(Deno.readDir(directory)),
    );
    return new Set(entries.map(({ name }) => name));
  },
};
