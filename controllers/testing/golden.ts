/**
 * Recorded cases of an independent implementation, for tests: found in
 * `$LCOW_SHARED/golden`, or in `shared/golden` beside the checkout.
 *
 * @module
 */

import { isJsonObject, type JsonObject, parseJson } from "../../base/json.ts";

/** A recorded case: a name, inputs and outputs. */
export interface GoldenCase {
  /** Its name. */
  readonly name: string;
  /** What the peer was given. */
  readonly input: JsonObject;
  /** What the peer gave. */
  readonly output: JsonObject;
  /** True when the recorded output looks like a fault of the peer. */
  readonly isDefect: boolean;
}

function directory(): string {
  const shared = Deno.env.get("LCOW_SHARED") ??
    new URL("../../../shared", import.meta.url).pathname;
  return `${shared}/golden`;
}

/**
 * The cases of some files of a set.
 *
 * @param set For example `hcs-doc`.
 * @param groups Names of files without their ending; all when absent.
 * @returns Undefined, with the reason printed, when there are no recordings.
 */
export async function goldenCases(
  set: string,
  groups?: readonly string[],
): Promise<GoldenCase[] | undefined> {
  const folder = `${directory()}/${set}`;
  const cases: GoldenCase[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const group = name.replace(/\.json$/, "");
      if (groups !== undefined && !groups.includes(group)) continue;
      const text = await Deno.readTextFile(`${folder}/${name}`);
      cases.push(...read(parseJson(text, name)));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log(`skipped: no recordings in ${folder} (set LCOW_SHARED)`);
    return undefined;
  }
  return cases;
}

function read(file: unknown): GoldenCase[] {
  if (!isJsonObject(file) || !Array.isArray(file.cases)) return [];
  return file.cases.filter(isJsonObject).map((entry) => ({
    name: String(entry.name),
    input: isJsonObject(entry.input) ? entry.input : {},
    output: isJsonObject(entry.output) ? entry.output : {},
    isDefect: entry.peerDefects !== undefined,
  }));
}

/**
 * The events of a recorded scenario, in order.
 *
 * @param name For example `network.0`.
 * @returns Undefined, with the reason printed, when there are no recordings.
 */
export async function goldenEvents(
  name: string,
): Promise<JsonObject[] | undefined> {
  const path = `${directory()}/trace/${name}.json`;
  try {
    const file = parseJson(await Deno.readTextFile(path), name);
    if (!isJsonObject(file) || !Array.isArray(file.events)) return [];
    return file.events.filter(isJsonObject);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log(`skipped: no recording ${path} (set LCOW_SHARED)`);
    return undefined;
  }
}

/**
 * The values that an error message of ours must repeat: what stands in quotes
 * in the innermost part of the peer's message.
 */
export function quotedValues(message: string): string[] {
  const values = [...message.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g)]
    .map((match) => match[2] ?? (match[1] ?? "").replace(/\\(.)/g, "$1"));
  return values.filter((value) => value !== "");
}
