/**
 * The recordings of an independent implementation. They are not part of this
 * repository: `LCOW_SHARED` names their folder, else `../shared` beside the
 * checkout is taken.
 *
 * @module
 */

import { type Json, type JsonObject, parseJson } from "../../base/json.ts";

/** The folder of the recordings, or undefined where there is none. */
export function goldenFolder(): URL | undefined {
  const named = Deno.env.get("LCOW_SHARED");
  const root = new URL("../../", import.meta.url);
  const shared = named === undefined
    ? new URL("../shared/", root)
    : new URL(`file://${named}/`);
  const golden = new URL("golden/", shared);
  try {
    return Deno.statSync(golden).isDirectory ? golden : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Runs a test over recordings, or says why it cannot.
 *
 * @param name What the test asserts.
 * @param set Folder of the recordings.
 * @param run Gets every recording of the set, by its file name.
 */
export function goldenTest(
  name: string,
  set: string,
  run: (file: string, recording: JsonObject) => void,
): void {
  const golden = goldenFolder();
  if (golden === undefined) {
    console.log(
      `skip: ${name}: there are no recordings; set LCOW_SHARED to their folder`,
    );
    Deno.test.ignore(name, () => {});
    return;
  }
  const folder = new URL(`${set}/`, golden);
  Deno.test(name, () => {
    for (const { name: file } of Deno.readDirSync(folder)) {
      const text = Deno.readTextFileSync(new URL(file, folder));
      run(file, parseJson(text, file) as JsonObject);
    }
  });
}

/**
 * Brings JSON into a form in which equal meaning is equal text: sorted members,
 * every integer a `bigint`.
 */
export function meaning(json: Json): Json {
  if (typeof json === "number" && Number.isInteger(json)) return BigInt(json);
  if (Array.isArray(json)) return json.map(meaning);
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.keys(json).sort().map((name) => [name, meaning(json[name] as Json)]),
  );
}

/** Every object of a recording for which `wanted` says so. */
export function* objects(
  json: Json,
  wanted: (object: JsonObject) => boolean,
): Iterable<JsonObject> {
  if (typeof json !== "object" || json === null) return;
  if (!Array.isArray(json) && wanted(json)) yield json;
  for (const value of Object.values(json)) yield* objects(value, wanted);
}

/** Puts text back where a recording shows its JSON as `{"$json": …}`. */
export function asSent(json: Json, format: (value: Json) => string): Json {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map((item) => asSent(item, format));
  if ("$json" in json) return format(asSent(json.$json as Json, format));
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, asSent(value, format)]),
  );
}
