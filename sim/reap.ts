/**
 * Removal of what a virtual machine occupies: after its end, and after the crash
 * of the shim in which it lived.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import { ControlGroup } from "./control_group.ts";
import { exclusively } from "./exclusive.ts";
import { detachLoopsOf } from "./loops.ts";
import { isAlive, killProcess } from "./process_identity.ts";
import type { StateFolders } from "./state.ts";
import { readRecord, type SystemRecord } from "./system_record.ts";

/** Removes a folder that may be gone. The caller holds the lock of the machines. */
async function removeFolder(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Ends a machine whatever it is doing and lets go of everything of it but its
 * folder.
 */
export async function releaseMachine(
  record: SystemRecord,
  clock: Clock,
): Promise<void> {
  if (record.vm !== undefined) await killProcess(record.vm);
  const { layout, name } = record.cgroup;
  await new ControlGroup(layout, name).remove(clock);
  for (const path of record.loops) await detachLoopsOf(path);
}

/** Removes the folder of a machine that was released. */
export async function forgetMachine(
  { vms }: StateFolders,
  folder: string,
): Promise<void> {
  await exclusively(vms, () => removeFolder(folder));
}

/**
 * Removes a machine whose owner died. The caller holds the lock of the machines,
 * so that nobody makes a new one in its folder meanwhile.
 *
 * @returns The record of an owner that lives; undefined when the folder is free.
 */
export async function reapFolder(
  folder: string,
  clock: Clock,
): Promise<SystemRecord | undefined> {
  const record = await readRecord(folder);
  if (record !== undefined) {
    if (await isAlive(record.process)) return record;
    await releaseMachine(record, clock);
  }
  // Without a record it is what an interrupted creation or removal left.
  await removeFolder(folder);
  return undefined;
}
