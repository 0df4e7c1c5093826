/**
 * Removal of what a crashed shim left.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import { exclusively } from "./exclusive.ts";
import { removeStale } from "./endpoint.ts";
import { reapFolder } from "./reap.ts";
import { endpointAddress, type StateFolders, vmFolder } from "./state.ts";

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
