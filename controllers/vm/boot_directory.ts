/**
 * Finds the boot files of a VM on the host.
 *
 * @module
 */

import { classify } from "../../base/errors.ts";
import type { HostFiles } from "../../hcs/ports.ts";
import type { BootDirectory } from "./options.ts";

/** Absolute in either flavour: `C:\…`, `\\…`, `/…`. */
const absolute = /^([A-Za-z]:[\\/]|[\\/])/;

/**
 * The absolute, clean form of a directory that somebody named.
 *
 * @param join Joins and cleans in the host's flavour.
 * @param base What a relative name is relative to.
 */
export function bootDirectoryPath(
  join: HostFiles["join"],
  base: string,
  named: string,
): string {
  return absolute.test(named) ? join(named) : join(base, named);
}

/**
 * Looks into a boot directory.
 *
 * @param files The files of the host.
 * @param named Its name; empty means the default one.
 * @param base What a relative name is relative to: the bundle, in which
 * containerd starts the shim.
 */
export async function findBootDirectory(
  files: Pick<HostFiles, "join" | "defaultBootDirectory" | "bootFiles">,
  named: string,
  base: string,
): Promise<BootDirectory> {
  const path = named === ""
    ? await files.defaultBootDirectory()
    : bootDirectoryPath((...parts) => files.join(...parts), base, named);
  try {
    return { path, files: await files.bootFiles(path) };
  } catch (error) {
    if (classify(error) !== "NotFound") throw error;
    return { path, files: undefined };
  }
}
