/**
 * The file in which the output of a container's init is kept
 * (`spec/guest-runtime.md` 4.2, step 10).
 *
 * @module
 */

import { containerAnnotations } from "../../oci/annotations.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import { parentOf, refuseLinks, resolveInRoot } from "../storage/paths.ts";
import { makeOpenFolder, pathInFolder, podFiles } from "./pod_files.ts";

/**
 * Finds the file that the annotation names in the logs of the pod, and makes the
 * folders above it, which every user of the pod may write to. Links in them do not
 * lead out of the logs.
 *
 * @returns Its path; empty when the container has none.
 * @throws {ShimError} InvalidArgument when the annotation leaves the logs.
 */
export async function prepareTeeLog(
  spec: Spec,
  sandboxRoot: string,
): Promise<string> {
  const name = spec.annotations?.[containerAnnotations.teeLogPath] ?? "";
  if (name === "") return "";
  const { logs } = podFiles(sandboxRoot);
  const clean = pathInFolder(logs, name).slice(logs.length + 1);
  await refuseLinks(logs);
  const path = await resolveInRoot(logs, clean);
  await makeOpenFolder(parentOf(path));
  return path;
}
