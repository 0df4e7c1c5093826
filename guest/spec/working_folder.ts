/**
 * The working directory of a process (`spec/guest-runtime.md` 8).
 *
 * @module
 */

import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import { resolveInRoot } from "../storage/paths.ts";

/**
 * Makes the working directory of a process in the root file system of its
 * container, because images name ones that they do not have. Links of the image
 * do not lead out of it. What cannot be made is told by the runtime.
 */
export async function makeWorkingFolder(
  { root }: Spec,
  cwd: string,
  log: Logger,
): Promise<void> {
  if (cwd === "" || cwd === "/" || root === undefined) return;
  try {
    const path = await resolveInRoot(root.path, cwd);
    await Deno.mkdir(path, { recursive: true, mode: 0o755 });
  } catch (error) {
    log.debug("Cannot make working directory", {
      cwd,
      error: messageOf(error),
    });
  }
}
