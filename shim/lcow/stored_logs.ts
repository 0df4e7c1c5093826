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
 * The logs that may be meant. Nothing is made for them.
 *
 * @param namespace The namespace; all of them by default.
 * @throws {ShimError} Why they cannot be read.
 */
export async function logsOf(
  { platform }: LcowContext,
  namespace?: string,
): Promise<StoredLogs> {
  const folder = await platform.logFolder("read");
  try {
    const logs = (await storedLogs(folder)).filter((log) =>
      namespace === undefined || log.namespace === namespace
    );
    return { folder, logs };
  } catch (error) {
    // No shim has logged yet.
    if (error instanceof Deno.errors.NotFound) return { folder, logs: [] };
    throw error;
  }
}
