/**
 * Removal of what a crashed shim left.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import type { Leftover } from "../hcs/ports.ts";
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
import { machineFolders, readRecord } from "./system_record.ts";

/**
 * Removes the endpoint and the machine of a group, unless their owner lives.
 *
 * @param key The group; its machine is `<key>@vm`.
 */
export async function cleanUpGroup(
  state: StateFolders,
  namespace: string,
  key: string,
): Promise<void> {
  const folder = await vmFolder(state, `${key}@vm`);
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

/** The machines whose owner is dead, with their control groups and loop devices. */
async function orphanedMachines(state: StateFolders): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const folder of await machineFolders(state.vms)) {
    const record = await exclusively(state.vms, () => readRecord(folder));
    if (record !== undefined && await isAlive(record.process)) continue;
    const of = record === undefined
      ? ""
      : ` of dead shim ${record.process.pid}`;
    found.push({
      kind: "vm",
      name: record?.id ?? folder,
      detail: `${folder}${of}`,
      remove: () => reap(state, folder),
    });
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
