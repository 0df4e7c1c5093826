/**
 * Which shim serves a task: all containers of a pod share one.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../base/json.ts";
import { cri } from "../oci/annotations.ts";
import { requireName } from "./args.ts";
import { readText } from "../base/read_file.ts";

/** What a bundle says about the group of its task. */
export interface Group {
  /** Sandbox id of the pod, or the task's own id. */
  readonly key: string;
  /** True for a workload container of a pod whose sandbox is another task. */
  readonly member: boolean;
}

/** Reads a file that may be missing. */
async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readText(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The annotations of a specification, without anything else of it. */
function annotationsOf(text: string, path: string): JsonObject {
  const spec = parseJson(text, path);
  const annotations = isJsonObject(spec) ? spec["annotations"] : undefined;
  return isJsonObject(annotations) ? annotations : {};
}

/**
 * The group of the task in a bundle.
 *
 * A bundle without `config.json` is a sandbox of the sandbox service: its group
 * is its own.
 *
 * @param bundle The bundle directory.
 * @param id The task's id.
 * @throws {ShimError} InvalidArgument when `config.json` is not JSON.
 */
export async function groupOf(bundle: string, id: string): Promise<Group> {
  const path = `${bundle}/config.json`;
  let text: string | undefined;
  try {
    text = await readOptional(path);
  } catch (cause) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot read ${path}: ${messageOf(cause)}`,
      { cause },
    );
  }
  if (text === undefined) return { key: id, member: false };
  const annotations = annotationsOf(text, path);
  const sandbox = annotations[cri.sandboxId];
  if (typeof sandbox !== "string" || sandbox === "") {
    return { key: id, member: false };
  }
  requireName(`annotation ${cri.sandboxId}`, sandbox);
  return {
    key: sandbox,
    member: annotations[cri.containerType] === "container" &&
      sandbox !== id,
  };
}
