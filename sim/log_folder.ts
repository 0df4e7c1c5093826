/**
 * The folder of the log files on Linux.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";

/** Rights that nobody but its owner may have. */
const foreignRights = 0o077;

/** The user whose folders everybody trusts. */
const root = 0;

/**
 * Makes the folder when it is not there, for this user only.
 *
 * @returns Its path.
 * @throws {ShimError} FailedPrecondition when it cannot be made, and when others may
 * change or read what is in it.
 */
export async function openLogFolder(path: string): Promise<string> {
  const refusal = (why: string, cause?: unknown): ShimError =>
    new ShimError(
      "FailedPrecondition",
      `Cannot keep log files in ${path}: ${why}`,
      { cause },
    );
  let info: Deno.FileInfo;
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    info = await Deno.lstat(path);
  } catch (cause) {
    throw refusal(messageOf(cause), cause);
  }
  if (!info.isDirectory) throw refusal("it is a link, not a folder");
  if (info.uid !== Deno.uid()) {
    throw refusal(`it belongs to user ${info.uid}; remove it`);
  }
  if ((info.mode ?? 0) & foreignRights) {
    throw refusal(`others may enter it; run chmod 700 ${path}`);
  }
  return path;
}

/**
 * The folder for a reader: nothing is made, and it may not be there.
 *
 * @returns Its path.
 * @throws {ShimError} PermissionDenied when this user may not read it,
 * FailedPrecondition when it is somebody else's.
 */
export async function findLogFolder(path: string): Promise<string> {
  const refusal = (why: string): string =>
    `Cannot read log files in ${path}: ${why}`;
  try {
    const { isDirectory, uid } = await Deno.lstat(path);
    if (!isDirectory || (uid !== root && uid !== Deno.uid())) {
      throw new ShimError(
        "FailedPrecondition",
        refusal(
          isDirectory
            ? `it belongs to user ${uid}, not to root or to you`
            : "it is no folder",
        ),
      );
    }
    // The first entry tells whether this user gets any.
    for await (const _ of Deno.readDir(path)) break;
  } catch (cause) {
    if (cause instanceof Deno.errors.PermissionDenied) {
      const why = "only its owner may; run this as root";
      throw new ShimError("PermissionDenied", refusal(why), { cause });
    }
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  return path;
}
