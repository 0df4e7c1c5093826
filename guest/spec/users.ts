/**
 * From the user of an image to numbers (`spec/guest-runtime.md` 7.2).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { limits } from "../../base/timeouts.ts";
import { resolveInRoot } from "../storage/paths.ts";

/** A resolved user. */
export interface ResolvedUser {
  /** User id. */
  readonly uid: number;
  /** Group id. */
  readonly gid: number;
}

/** A line of `/etc/passwd` or `/etc/group`. */
export interface UserRow {
  /** Name of the user or the group. */
  readonly name: string;
  /** Its id. */
  readonly id: number;
  /** The group of a user; of no meaning for a group. */
  readonly gid: number;
}

/** Rows of `/etc/passwd` (name, -, uid, gid) or `/etc/group` (name, -, gid). */
function parseRows(text: string): UserRow[] {
  return text.split("\n").flatMap((line) => {
    const [name, , id, gid] = line.trim().split(":");
    if (!name || id === undefined || !/^\d+$/.test(id)) return [];
    return [{ name, id: Number(id), gid: Number(gid ?? 0) || 0 }];
  });
}

/**
 * Rows of a file of an image, which may hold anything: links do not lead out of
 * it, and nothing but a file is read. A missing file has no rows.
 */
export async function rowsOf(
  rootfs: string,
  path: string,
): Promise<UserRow[]> {
  const file = await resolveInRoot(rootfs, path);
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(file);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isMissing) return [];
    throw error;
  }
  if (info.isFile && info.size <= limits.file) {
    return parseRows(await Deno.readTextFile(file));
  }
  throw new ShimError(
    "InvalidArgument",
    `Cannot read "${path}" of the image: it is no file of at most ` +
      `${limits.file} bytes`,
  );
}

const maxId = 0xffff_ffff;

function parseId(text: string, kind: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  return requireId(Number(text), kind);
}

function requireId(id: number, kind: string): number {
  if (id >= 0 && id <= maxId) return id;
  throw new ShimError(
    "InvalidArgument",
    `Invalid ${kind} id ${id}: it must be in 0 … ${maxId}`,
  );
}

function only(rows: readonly UserRow[], kind: string, name: string): UserRow {
  const [row, second] = rows.filter((row) => row.name === name);
  if (row === undefined || second !== undefined) {
    const count = row === undefined ? "no" : "more than one";
    throw new ShimError(
      "NotFound",
      `Cannot resolve ${kind} "${name}": the image has ${count} such entry`,
    );
  }
  return row;
}

/**
 * Resolves `user`, `uid`, and either with `:group` or `:gid`.
 *
 * @param user The text of the image or of the caller.
 * @param rootfs Root file system, whose `/etc/passwd` and `/etc/group` count.
 * @throws {ShimError} NotFound for unknown names, InvalidArgument for others.
 */
export async function resolveUser(
  user: string,
  rootfs: string,
): Promise<ResolvedUser> {
  const [name = "", group, ...more] = user.split(":");
  if (more.length > 0) {
    throw new ShimError(
      "InvalidArgument",
      `Invalid user "${user}": use user[:group]`,
    );
  }
  const users = await rowsOf(rootfs, "/etc/passwd");
  const id = parseId(name, "user");
  let resolved: ResolvedUser;
  if (id === undefined) {
    const row = only(users, "user", name);
    resolved = {
      uid: requireId(row.id, "user"),
      gid: requireId(row.gid, "group"),
    };
  } else {
    const [row, second] = users.filter((row) => row.id === id);
    const known = row !== undefined && second === undefined;
    resolved = { uid: id, gid: known ? requireId(row.gid, "group") : 0 };
  }
  if (group === undefined) return resolved;
  const gid = parseId(group, "group") ??
    requireId(
      only(await rowsOf(rootfs, "/etc/group"), "group", group).id,
      "group",
    );
  return { ...resolved, gid };
}
