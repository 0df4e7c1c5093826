/**
 * Reads the specification of a task from its bundle.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import { isJsonObject, type Json, parseJson } from "../base/json.ts";
import { Spec } from "../oci/spec.gen.ts";
import { readText } from "../base/read_file.ts";
import type { SandboxDevice } from "./sandbox.ts";

function unreadable(path: string, cause: unknown): ShimError {
  return new ShimError(
    "InvalidArgument",
    `Cannot read the specification ${path}: ${messageOf(cause)}`,
    { cause },
  );
}

/**
 * Reads `config.json` of a task.
 *
 * @param bundle The bundle directory.
 * @throws {ShimError} InvalidArgument when it is missing, too large or no
 * specification.
 */
export async function readSpec(bundle: string): Promise<Spec> {
  const path = `${bundle}/config.json`;
  try {
    return Spec.parse(await readText(path));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** What a sandbox's bundle says about its VM. */
export interface SandboxSpec {
  /** Annotations; absent when the bundle has no specification. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Devices for the VM. */
  readonly devices: readonly SandboxDevice[];
}

function textsOf(value: Json | undefined): Record<string, string> {
  const pairs = isJsonObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(
    pairs.filter((pair): pair is [string, string] =>
      typeof pair[1] === "string"
    ),
  );
}

function devicesOf(value: Json | undefined): SandboxDevice[] {
  const devices = Array.isArray(value) ? value : [];
  return devices.filter(isJsonObject).map(({ id, idType }) => ({
    id: typeof id === "string" ? id : "",
    idType: typeof idType === "string" ? idType : "",
  }));
}

/**
 * Reads `config.json` of a sandbox: either a whole specification, or only
 * `{annotations, devices}`. Upstream CRI writes none.
 *
 * @param bundle The bundle directory.
 * @throws {ShimError} InvalidArgument when the file is there and cannot be read.
 */
export async function readSandboxSpec(bundle: string): Promise<SandboxSpec> {
  const path = `${bundle}/config.json`;
  let text: string;
  try {
    text = await readText(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return { devices: [] };
    throw unreadable(path, cause);
  }
  const json = parseJson(text, path);
  if (!isJsonObject(json)) throw unreadable(path, "it is no JSON object");
  const windows = json["windows"];
  return {
    annotations: textsOf(json["annotations"]),
    devices: devicesOf(
      json["devices"] ?? (isJsonObject(windows) ? windows["devices"] : []),
    ),
  };
}
