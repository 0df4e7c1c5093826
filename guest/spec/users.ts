/**
 * From the user of an image to numbers (`spec/guest-runtime.md` 7.2).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";

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

/** Reads such a file; a missing one is empty. */
export async function rowsOf(path: string): Promise<UserRow[]> {
  try {
    return parseRows(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

const maxId = 0xffff_ffff;

function parseId(text: string, kind: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id >= 0 && id <= maxId) return id;
  throw new ShimError(
    "InvalidArgument",
    `Invalid ${kind} id ${text}: it must be in 0 … ${maxId}`,
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
  const users = await rowsOf(`${rootfs}/etc/passwd`);
  const id = parseId(name, "user");
  let resolved: ResolvedUser;
  if (id === undefined) {
    const row = only(users, "user", name);
    resolved = { uid: row.id, gid: row.gid };
  } else {
    const [row, second] = users.filter((row) => row.id === id);
    const known = row !== undefined && second === undefined;
    resolved = { uid: id, gid: known ? row.gid : 0 };
  }
  if (group === undefined) return resolved;
  const gid = parseId(group, "group") ??
    only(await rowsOf(`${rootfs}/etc/group`), "group", group).id;
  return { ...resolved, gid };
}
