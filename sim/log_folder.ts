/**
 * The folder of the log files on Linux.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";

/** Rights that nobody but its owner may have. */
const foreignRights = 0o077;

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
