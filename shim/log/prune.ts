/**
 * Keeps the folder of the log files small: logs of sandboxes that are gone stay,
 * because people ask why one died, but not for ever.
 *
 * @module
 */

import { limits } from "../../base/timeouts.ts";
import { type Extent, extentOf } from "./extent.ts";
import {
  logFileName,
  type LogName,
  type StoredLog,
  storedLogs,
} from "./names.ts";

/** How much is kept. */
export interface KeepLimits {
  /** Logs. */
  readonly count: number;
  /** Bytes of all of them. */
  readonly bytes: number;
}

/** What `limits` allow. */
const keepLimits: KeepLimits = {
  count: limits.logFiles,
  bytes: limits.logFolder,
};

/**
 * Removes the logs that were written longest ago until the others are within the
 * limits. Logs of shims that run stay and do not count.
 *
 * @param folder The folder of the log files.
 * @param isServed Whether a shim of this name runs; asked only for what is to go.
 * @param keep How much is kept.
 * @throws What the system says about the folder or a file.
 */
export async function pruneLogs(
  folder: string,
  isServed: (name: LogName) => Promise<boolean>,
  { count, bytes }: KeepLimits = keepLimits,
): Promise<void> {
  const logs: (StoredLog & Extent)[] = [];
  for (const log of await storedLogs(folder)) {
    logs.push({ ...log, ...await extentOf(folder, log) });
  }
  logs.sort((a, b) => a.written - b.written);
  let left = logs.length;
  let total = logs.reduce((sum, log) => sum + log.bytes, 0);
  for (const log of logs) {
    if (left <= count && total <= bytes) return;
    left--;
    total -= log.bytes;
    if (await isServed(log)) continue;
    for (const generation of log.generations) {
      await removeIfThere(`${folder}/${logFileName(log, generation)}`);
    }
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
