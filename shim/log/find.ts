/**
 * Finds the log that tells about an id.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { isAbout, parseLine } from "./line.ts";
import type { LogName, StoredLog } from "./names.ts";
import { readLog } from "./reader.ts";

/** Where lines about something are. */
export interface FoundLog {
  /** Whose log it is. */
  readonly name: LogName;
  /** Only lines about this are meant; undefined for all. */
  readonly about?: string;
}

/** @throws {ShimError} FailedPrecondition when there are several. */
function onlyOne(id: string, found: readonly FoundLog[]): FoundLog | undefined {
  if (found.length < 2) return found[0];
  const names = found.map(({ name }) => `${name.namespace}/${name.id}`).sort();
  throw new ShimError(
    "FailedPrecondition",
    `Several logs tell about ${JSON.stringify(id)}: ${
      names.join(", ")
    }; choose one by its id, and with --namespace`,
  );
}

async function tellsAbout(
  folder: string,
  name: LogName,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  const quoted = JSON.stringify(id);
  for await (const lines of readLog(folder, name)) {
    signal.throwIfAborted();
    const found = lines.some((line) =>
      line.includes(quoted) && isAbout(parseLine(line), id)
    );
    if (found) return true;
  }
  return false;
}

/**
 * The log of a sandbox or standalone container, or else the one with lines about a
 * container or pod of this id.
 *
 * @param folder The folder of the log files.
 * @param logs The logs that may be meant.
 * @param id The id.
 * @param signal Ends the search.
 * @returns Undefined when no log tells about it.
 * @throws {ShimError} FailedPrecondition when several do.
 */
export async function findLog(
  folder: string,
  logs: readonly StoredLog[],
  id: string,
  signal: AbortSignal,
): Promise<FoundLog | undefined> {
  const own = logs.filter((log) => log.id === id).map((name) => ({ name }));
  const log = onlyOne(id, own);
  if (log !== undefined) return log;
  const about: FoundLog[] = [];
  for (const name of logs) {
    if (await tellsAbout(folder, name, id, signal)) {
      about.push({ name, about: id });
    }
  }
  return onlyOne(id, about);
}
