/**
 * Removal of what a crashed shim left.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Leftover } from "../hcs/ports.ts";
import { vmSystemId } from "../hcs/system_id.ts";
import { exclusively } from "./exclusive.ts";
import { occupant, removeStale, socketPath } from "./endpoint.ts";
import { isAlive } from "./process_identity.ts";
import { reapFolder } from "./reap.ts";
import {
  endpointAddress,
  endpointAddresses,
  type StateFolders,
  vmFolder,
} from "./state.ts";
import {
  machineFolders,
  readRecord,
  type SystemRecord,
} from "./system_record.ts";

/**
 * Removes the endpoint and the machine of a group, unless their owner lives.
 *
 * @param key The group; its machine is that of the sandbox of this name.
 */
export async function cleanUpGroup(
  state: StateFolders,
  namespace: string,
  key: string,
): Promise<void> {
  const folder = await vmFolder(state, vmSystemId(key));
  await exclusively(state.vms, () => reapFolder(folder, systemClock));
  await removeStale(await endpointAddress(state, namespace, key));
}

/** The endpoints that nobody serves. */
async function staleEndpoints(state: StateFolders): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const address of await endpointAddresses(state)) {
    if (await occupant(socketPath(address)) !== "stale") continue;
    found.push({
      kind: "endpoint",
      name: address,
      detail: "",
      remove: () => removeStale(address),
    });
  }
  return found;
}

/**
 * Reaps a machine.
 *
 * @returns False when its owner lives.
 */
async function reap(state: StateFolders, folder: string): Promise<boolean> {
  const inUse = await exclusively(
    state.vms,
    () => reapFolder(folder, systemClock),
  );
  return inUse === undefined;
}

/** What is known of a machine whose owner is dead; undefined while it lives. */
async function orphan(
  state: StateFolders,
  folder: string,
): Promise<Pick<Leftover, "name" | "detail"> | undefined> {
  let record: SystemRecord | undefined;
  try {
    // Under the lock: without it a machine that is being made has no record yet.
    record = await exclusively(state.vms, async () => {
      await Deno.stat(folder);
      return await readRecord(folder);
    });
  } catch (error) {
    // It ended meanwhile.
    if (error instanceof Deno.errors.NotFound) return undefined;
    // The record is damaged: the removal fails and says so again.
    return { name: folder, detail: messageOf(error) };
  }
  if (record === undefined) return { name: folder, detail: "" };
  if (await isAlive(record.process)) return undefined;
  const detail = `${folder} of the dead shim ${record.process.pid}`;
  return { name: record.id, detail };
}

/** The machines whose owner is dead, with their control groups and loop devices. */
async function orphanedMachines(state: StateFolders): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const folder of await machineFolders(state.vms)) {
    const about = await orphan(state, folder);
    if (about === undefined) continue;
    found.push({ kind: "vm", ...about, remove: () => reap(state, folder) });
  }
  return found;
}

/** What crashed shims left. */
export async function findLeftovers(state: StateFolders): Promise<Leftover[]> {
  const [endpoints, machines] = await Promise.all([
    staleEndpoints(state),
    orphanedMachines(state),
  ]);
  return [...endpoints, ...machines];
}
