/**
 * Reads the log file of a sandbox, whoever writes it and whether or not its shim
 * still runs.
 *
 * @module
 */

import { limits } from "../../base/timeouts.ts";
import { LineSplitter } from "./line_splitter.ts";
import { generationsOf, logFileName, type LogName } from "./names.ts";
import { FolderWatch } from "./folder_watch.ts";
import { missingLines } from "./writer.ts";

/** How a log is read. */
export interface ReadOptions {
  /** Goes on at the end, until the signal aborts. */
  readonly follow?: boolean;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** An open generation. */
interface Generation {
  readonly number: number;
  readonly file: Deno.FsFile;
}

/**
 * The lines of a log, as many at once as are there, without line feeds and empty
 * ones, from the oldest. Where a follower was too slow for the file's limit, a line
 * of its own says so. Ends at once when there is no log.
 *
 * @param folder The folder of the log files.
 * @param name Whose log it is.
 * @throws What the system says, for example that reading is forbidden.
 */
export async function* readLog(
  folder: string,
  name: LogName,
  { follow = false, signal }: ReadOptions = {},
): AsyncGenerator<readonly string[]> {
  // It begins to watch before it looks: nothing falls between.
  using watch = follow
    ? new FolderWatch(folder, (file) => file.startsWith(prefixOf(name)))
    : undefined;
  const stop = (): void => watch?.[Symbol.dispose]();
  signal?.addEventListener("abort", stop, { once: true });
  const splitter = new LineSplitter(limits.logFile);
  let current: Generation | undefined;
  try {
    while (!signal?.aborted) {
      if (current !== undefined) yield* drain(current.file, splitter);
      const next = await openNext(folder, name, current?.number ?? 0);
      if (next !== undefined) {
        if (current !== undefined) {
          // Nothing is written to it any more: this is its rest.
          yield* drain(current.file, splitter);
          current.file.close();
          yield [
            ...splitter.end(),
            ...(next.number > current.number + 1 ? [missing] : []),
          ];
        }
        current = next;
        continue;
      }
      if (watch === undefined || !await watch.changed()) break;
    }
    yield [...splitter.end()];
  } finally {
    signal?.removeEventListener("abort", stop);
    current?.file.close();
  }
}

/** What the names of all generations begin with. */
function prefixOf(name: LogName): string {
  return logFileName(name, 0).slice(0, -"0.jsonl".length);
}

const missing = JSON.stringify({ level: "warn", msg: missingLines });

async function* drain(
  file: Deno.FsFile,
  splitter: LineSplitter,
): AsyncGenerator<readonly string[]> {
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await file.read(buffer);
    if (count === null) return;
    yield [...splitter.push(buffer.subarray(0, count))];
  }
}

/** Opens the oldest generation after this one; undefined when there is none. */
async function openNext(
  folder: string,
  name: LogName,
  after: number,
): Promise<Generation | undefined> {
  for (const number of await generationsOf(folder, name)) {
    if (number <= after) continue;
    try {
      const file = await Deno.open(`${folder}/${logFileName(name, number)}`);
      return { number, file };
    } catch (error) {
      // The shim was faster, and has a newer one.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}
