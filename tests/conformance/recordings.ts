/**
 * Finds and reads recorded data: `DIR/<set>/*.json`, as the README of the data
 * describes it.
 *
 * @module
 */

import { messageOf } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../base/json.ts";

/** One recorded case. */
export interface RecordedCase {
  /** For people only: nothing is decided by it. */
  readonly name: string;
  /** What kind of cases stand beside it, for example `vm-scsi`. */
  readonly group: string;
  /** What the peer was given. */
  readonly input: JsonObject;
  /** What the peer gave. */
  readonly output: JsonObject;
  /** What looks like a fault of the peer, in words. */
  readonly defects: readonly string[];
}

/** The cases of one file, or why it cannot be read. */
export interface Recording {
  /** Name of the file. */
  readonly file: string;
  /** Its cases. */
  readonly cases: readonly RecordedCase[];
  /** Why there are none. */
  readonly error?: string;
}

/** A set of recordings. */
export interface RecordedSet {
  /** Name of its folder. */
  readonly name: string;
  /** Its files, by name. */
  readonly recordings: readonly Recording[];
}

/** The folder of recordings when nobody names one. */
export function defaultFolder(): string {
  const shared = Deno.env.get("LCOW_SHARED") ??
    new URL("../../../shared", import.meta.url).pathname;
  return `${shared}/golden`;
}

/** Exchanges are input and output at once. */
function partsOf(json: unknown): { input: JsonObject; output: JsonObject } {
  if (isJsonObject(json)) {
    const { input, output, exchanges } = json;
    if (isJsonObject(input) && isJsonObject(output)) return { input, output };
    if (Array.isArray(exchanges)) return { input: json, output: json };
  }
  throw new TypeError("a case has no input or no output");
}

function readCase(json: unknown, group: string): RecordedCase {
  const { input, output } = partsOf(json);
  const { name, peerDefects } = json as JsonObject;
  return {
    name: String(name),
    group,
    input,
    output,
    defects: Array.isArray(peerDefects) ? peerDefects.map(String) : [],
  };
}

/** A trace is one case; its events are input and output at once. */
function traceCase(json: JsonObject): RecordedCase {
  const { scenario, variant, peerDefects } = json;
  return {
    name: `${scenario} ${variant}`,
    group: String(scenario),
    input: json,
    output: json,
    defects: Array.isArray(peerDefects) ? peerDefects.map(String) : [],
  };
}

/** Reads the text of one file. */
export function readRecording(file: string, text: string): Recording {
  try {
    const json = parseJson(text, file);
    if (isJsonObject(json) && Array.isArray(json.events)) {
      return { file, cases: [traceCase(json)] };
    }
    if (!isJsonObject(json) || !Array.isArray(json.cases)) {
      throw new TypeError("it holds no list of cases");
    }
    const group = String(json.group ?? file.replace(/\.json$/, ""));
    const cases = json.cases.map((entry) => readCase(entry, group));
    return { file, cases };
  } catch (error) {
    return { file, cases: [], error: messageOf(error) };
  }
}

async function namesIn(
  folder: string,
  wanted: (entry: Deno.DirEntry) => boolean,
): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.filter(wanted).map(({ name }) => name).sort();
}

/**
 * The names of the sets in a folder.
 *
 * @returns Undefined when there is no such folder.
 */
export async function setNames(dir: string): Promise<string[] | undefined> {
  try {
    return await namesIn(dir, ({ isDirectory }) => isDirectory);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Reads all files of a set. */
export async function readSet(dir: string, name: string): Promise<RecordedSet> {
  const folder = `${dir}/${name}`;
  const files = await namesIn(folder, (entry) => entry.name.endsWith(".json"));
  return {
    name,
    recordings: await Promise.all(
      files.map(async (file) =>
        readRecording(file, await Deno.readTextFile(`${folder}/${file}`))
      ),
    ),
  };
}
