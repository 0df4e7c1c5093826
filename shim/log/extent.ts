/**
 * How much a log has, and how old it is.
 *
 * @module
 */

import { logFileName, type StoredLog } from "./names.ts";

/** See the module. */
export interface Extent {
  /** Bytes of all its generations. */
  readonly bytes: number;
  /** When it was written last, milliseconds since 1970; 0 for one that is gone. */
  readonly written: number;
}

/**
 * Looks at the files of a log.
 *
 * @param folder The folder of the log files.
 * @throws What the system says about a file.
 */
export async function extentOf(
  folder: string,
  log: StoredLog,
): Promise<Extent> {
  let bytes = 0;
  let written = 0;
  for (const generation of log.generations) {
    try {
      const path = `${folder}/${logFileName(log, generation)}`;
      const { size, mtime } = await Deno.lstat(path);
      bytes += size;
      written = Math.max(written, mtime?.getTime() ?? 0);
    } catch (error) {
      // Its shim has begun a newer one, or somebody cleaned up.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return { bytes, written };
}
