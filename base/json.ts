/**
 * JSON without loss: integers that a double cannot hold become `bigint` and are
 * written back digit for digit.
 *
 * @module
 */

import { ShimError } from "./errors.ts";

/** A JSON value; integers beyond ±(2^53-1) are `bigint`. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | Json[]
  | JsonObject;

/** A JSON object. */
export interface JsonObject {
  /** A member. */
  [name: string]: Json;
}

interface ReviverContext {
  readonly source?: string;
}

type Reviver = (
  key: string,
  value: unknown,
  context: ReviverContext,
) => unknown;

interface LosslessJson {
  parse(text: string, reviver: Reviver): unknown;
  rawJSON(text: string): unknown;
}

/** Source text access (ECMA-262 proposal), which TypeScript does not know yet. */
const lossless = JSON as unknown as LosslessJson;

/** Only a text with such a run of digits can hold a number that needs care. */
const longDigits = /\d{16}/;

const integer = /^-?\d+$/;

function keepInteger(
  _key: string,
  value: unknown,
  { source }: ReviverContext,
): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  return source !== undefined && integer.test(source) ? BigInt(source) : value;
}

/**
 * Parses JSON text without loss.
 *
 * @param text The text; one JSON value.
 * @param what What the text is, for the error.
 * @throws {ShimError} InvalidArgument when the text is not JSON.
 *
 * @example Large integers survive
 * ```ts
 * import { formatJson, parseJson } from "./json.ts";
 * const text = '{"limit":18446744073709551615}';
 * console.assert(formatJson(parseJson(text)) === text);
 * ```
 */
export function parseJson(text: string, what = "JSON text"): Json {
  try {
    return (longDigits.test(text)
      ? lossless.parse(text, keepInteger)
      : JSON.parse(text)) as Json;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ShimError(
      "InvalidArgument",
      `Cannot parse ${what}: ${reason}`,
      { cause },
    );
  }
}

/** Writes a value as JSON text; `bigint` as plain digits. */
export function formatJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, member) =>
      typeof member === "bigint" ? lossless.rawJSON(String(member)) : member,
  );
}

/** True for a JSON object (not null, not a list). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
