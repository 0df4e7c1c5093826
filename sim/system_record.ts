/**
 * `system.json`: what other processes, and whoever cleans up after a crash, must
 * know of a virtual machine. Written before the effect that it names.
 *
 * Mounts and the network live in the machine's own namespaces and end with
 * them, so that nothing of them has to be noted.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import { isJsonObject, parseJson } from "../base/json.ts";
import type { CgroupLayout } from "./hierarchies.ts";
import { isAlive, type ProcessIdentity } from "./process_identity.ts";

/** Life of a compute system, in HCS' words. */
export type SystemState = "Created" | "Running";

/** A virtual machine that exists, or existed when its owner died. */
export interface SystemRecord {
  /** Id of the compute system. */
  readonly id: string;
  /** Who created it, as the document says. */
  readonly owner: string;
  /** GUID that sockets and access grants use. */
  readonly runtimeId: string;
  /** The shim in which it lives. */
  readonly process: ProcessIdentity;
  /** Its life. */
  readonly state: SystemState;
  /** Milliseconds since 1970; absent until it runs. */
  readonly startedAt?: number;
  /** The process above its first one; absent until it runs. */
  readonly vm?: ProcessIdentity;
  /** Control groups: name, and the hierarchies in which it stands. */
  readonly cgroup: { readonly name: string; readonly layout: CgroupLayout };
  /** Image files that are, or are about to be, attached as loop devices. */
  readonly loops: readonly string[];
}

const fileName = "system.json";

/** Writes a record so that readers see the old or the new one, never a half. */
export async function writeRecord(
  folder: string,
  record: SystemRecord,
): Promise<void> {
  const draft = `${folder}/${fileName}.new`;
  await Deno.writeTextFile(draft, JSON.stringify(record, null, 2) + "\n");
  await Deno.rename(draft, `${folder}/${fileName}`);
}

/**
 * Reads the record of a folder.
 *
 * @returns Undefined when there is none.
 * @throws {ShimError} DataLoss when the file is not one of ours.
 */
export async function readRecord(
  folder: string,
): Promise<SystemRecord | undefined> {
  const path = `${folder}/${fileName}`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const json = parseJson(text, path);
    if (!isJsonObject(json) || typeof json["id"] !== "string") {
      throw new ShimError("DataLoss", "it has no id");
    }
    return json as unknown as SystemRecord;
  } catch (cause) {
    throw new ShimError(
      "DataLoss",
      `Cannot use ${path}: ${messageOf(cause)}; remove its folder`,
      { cause },
    );
  }
}

/** The folders below the state's folder of machines, drafts excluded. */
export async function machineFolders(vms: string): Promise<string[]> {
  const folders: string[] = [];
  try {
    for await (const { name } of Deno.readDir(vms)) {
      if (/^[0-9a-f]{8}$/.test(name)) folders.push(`${vms}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return folders.sort();
}

/** The machines whose owners live, in the order of their folders. */
export async function liveRecords(vms: string): Promise<SystemRecord[]> {
  const records: SystemRecord[] = [];
  for (const folder of await machineFolders(vms)) {
    const record = await readRecord(folder);
    if (record !== undefined && await isAlive(record.process)) {
      records.push(record);
    }
  }
  return records;
}
