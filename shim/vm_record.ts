/**
 * The file `vm.json` in the bundle: which compute system belongs to the bundle.
 *
 * Ids of compute systems are machine-wide while task ids are chosen by users, so
 * `delete` must not stop a system just because of its name.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import { isJsonObject, type Json, parseJson } from "../base/json.ts";

/** What is known about the VM of a bundle. */
export interface VmRecord {
  /** Id of the compute system. */
  readonly systemId: string;
  /** RuntimeId; absent until the system exists. */
  readonly runtimeId?: string;
  /** Owner in the system's document. */
  readonly owner: string;
  /** Process id of the shim. */
  readonly shimPid: number;
  /** When that process started, ISO 8601. */
  readonly shimStarted: string;
  /** When the VM ended, ISO 8601; absent while it may exist. */
  readonly ended?: string;
}

function path(bundle: string): string {
  return `${bundle}/vm.json`;
}

/**
 * Writes the record, replacing an older one as a whole.
 *
 * @throws {ShimError} FailedPrecondition when the bundle cannot be written.
 */
export async function writeVmRecord(
  bundle: string,
  record: VmRecord,
): Promise<void> {
  try {
    await Deno.writeTextFile(`${path(bundle)}.new`, JSON.stringify(record));
    await Deno.rename(`${path(bundle)}.new`, path(bundle));
  } catch (cause) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot write ${path(bundle)}: ${messageOf(cause)}`,
      { cause },
    );
  }
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * Reads the record of a bundle.
 *
 * @returns Undefined when there is none, or when it names no system.
 * @throws {ShimError} When the file cannot be read or is not JSON.
 */
export async function readVmRecord(
  bundle: string,
): Promise<VmRecord | undefined> {
  let content: string;
  try {
    content = await Deno.readTextFile(path(bundle));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new ShimError(
      "Unknown",
      `Cannot read ${path(bundle)}: ${messageOf(cause)}`,
      { cause },
    );
  }
  const json = parseJson(content, path(bundle));
  if (!isJsonObject(json)) return undefined;
  const systemId = text(json["systemId"]);
  if (systemId === undefined) return undefined;
  const runtimeId = text(json["runtimeId"]);
  const ended = text(json["ended"]);
  return {
    systemId,
    owner: text(json["owner"]) ?? "",
    shimPid: Number(json["shimPid"]),
    shimStarted: text(json["shimStarted"]) ?? "",
    ...(runtimeId === undefined ? {} : { runtimeId }),
    ...(ended === undefined ? {} : { ended }),
  };
}
