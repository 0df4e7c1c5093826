/**
 * The logs of this host, for the words that read them.
 *
 * @module
 */

import { type StoredLog, storedLogs } from "../log/names.ts";
import type { LcowContext } from "./word.ts";

/** Logs, and where they are. */
export interface StoredLogs {
  /** The folder; it need not be there. */
  readonly folder: string;
  /** What it holds. */
  readonly logs: readonly StoredLog[];
}

/**
 * The logs of this host. Nothing is made for them.
 *
 * @throws {ShimError} Why they cannot be read.
 */
export async function logsOf({ platform }: LcowContext): Promise<StoredLogs> {
  const folder = await platform.logFolder("read");
  try {
    return { folder, logs: await storedLogs(folder) };
  } catch (error) {
    // No shim has logged yet.
    if (error instanceof Deno.errors.NotFound) return { folder, logs: [] };
    throw error;
  }
}
