/**
 * Reading recorded JSON without asking at every step what it is.
 *
 * @module
 */

import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from "../../base/json.ts";

/** The object, or an empty one. */
export function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The list, or an empty one. */
export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** The objects of a list. */
export function objectsOf(value: Json | undefined): JsonObject[] {
  return listOf(value).map(objectOf);
}

/** The text, or an empty one. */
export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** The texts of an object, by their names. */
export function textsOf(value: Json | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOf(value)).map(([name, text]) => [name, textOf(text)]),
  );
}

/** A value as it is on the wire. */
export function plain(value: unknown): Json {
  return parseJson(formatJson(value));
}

/** An object without some members. */
export function without(
  object: JsonObject,
  ...names: readonly string[]
): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter(([name]) => !names.includes(name)),
  );
}
