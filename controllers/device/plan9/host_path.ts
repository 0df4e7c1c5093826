/**
 * Paths of the host as shares: a directory as it is, a file as a directory in
 * which only it is visible.
 *
 * @module
 */

import type { HostFiles } from "../../../hcs/ports.ts";
import type { ShareConfig } from "./config.ts";
import type { Plan9Controller } from "./controller.ts";

/** What the host is asked about its paths. */
export type PathFiles = Pick<HostFiles, "stat" | "join">;

/** What of the host is shared for a path, and where it is below the share. */
export interface SharePlan {
  /** The directory. */
  readonly share: ShareConfig;
  /** Name of the single file; undefined for a directory. */
  readonly file?: string;
}

/** Parts a path behind its last separator, in the flavour of the host. */
function splitPath(
  { join }: PathFiles,
  path: string,
): [directory: string, name: string] {
  const separators = join("a", "b").includes("\\") ? /[\\/]/g : /\//g;
  const last = [...path.matchAll(separators)].at(-1)?.index ?? -1;
  return [path.slice(0, last + 1), path.slice(last + 1)];
}

/**
 * Plans the share for a path.
 *
 * @param files The files of the host.
 * @param path A directory or a file, in the host's flavour.
 * @param readOnly Whether the VM may only read it.
 * @throws {ShimError} NotFound when the path is nothing.
 */
export async function planShare(
  files: PathFiles,
  path: string,
  readOnly: boolean,
): Promise<SharePlan> {
  if (await files.stat(path) === "directory") {
    return { share: { hostPath: path, readOnly } };
  }
  const [hostPath, file] = splitPath(files, path);
  return {
    share: { hostPath, readOnly, restrict: true, allowedNames: [file] },
    file,
  };
}

/**
 * Shares what was planned until the end of the VM: nobody gives it back.
 *
 * @param plan See {@linkcode planShare}.
 * @param signal Ends it; the share is given back then.
 * @returns The path of the directory or file in the guest.
 * @throws {ShimError} What {@linkcode Plan9Controller} throws; nothing is left,
 * unless that cannot be given back.
 */
export async function shareForLife(
  plan9: Pick<Plan9Controller, "reserve" | "map" | "unmap">,
  { share, file }: SharePlan,
  signal: AbortSignal,
): Promise<string> {
  const id = await plan9.reserve(share, { readOnly: share.readOnly });
  try {
    const path = await plan9.map(id, signal);
    signal.throwIfAborted();
    return file === undefined ? path : `${path}/${file}`;
  } catch (error) {
    await plan9.unmap(id).catch(() => {}); // the caller hears what failed first
    throw error;
  }
}
