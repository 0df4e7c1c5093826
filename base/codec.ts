/**
 * What a JSON codec is, and the codecs of scalars. Lists, maps and messages are
 * in `codec_shapes.ts`; the generated codecs are tables built from both, so that
 * the rules of the wire (Go's decoder on the other side) are written once.
 *
 * Reading is lenient or strict. Lenient (`decode`, `parse`): an exact member
 * name wins, else the case is ignored; unknown members are skipped; `null` and
 * absence mean the zero value. Strict (`validate`): exact names only, no unknown
 * members, nothing required may be missing, enumerations are closed.
 *
 * @module
 */

import { ShimError } from "./errors.ts";
import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from "./json.ts";

/** Translates between a typed value and JSON. */
export interface Codec<T> {
  /** Name of the type, as the schema calls it. */
  readonly name: string;
  /**
   * Reads leniently.
   *
   * @param json What was received.
   * @param path Where it stands, for errors; `$` when absent.
   * @throws {ShimError} InvalidArgument naming the path of the bad member.
   */
  decode(json: Json, path?: string): T;
  /**
   * Reads strictly; otherwise as {@linkcode Codec.decode}.
   *
   * @throws {ShimError} InvalidArgument naming the path of the bad member.
   */
  validate(json: Json, path?: string): T;
  /**
   * Writes. Members that are undefined, and empty ones that the schema lets
   * out, are absent.
   *
   * @throws {ShimError} InvalidArgument naming the path of an integer that does
   *   not fit its type.
   */
  encode(value: T, path?: string): Json;
  /** Reads JSON text leniently. @throws {ShimError} InvalidArgument. */
  parse(text: string): T;
  /** Writes JSON text on one line. */
  format(value: T): string;
  /** The value that absence stands for. */
  zero(): T;
  /** True when a member of this value may be left out. */
  isEmpty(value: T): boolean;
}

/** What a combinator supplies; the rest of a codec follows from it. */
export interface Rules<T> {
  /** Reads `json`, which stands at `path`. */
  read(json: Json, path: string, strict: boolean): T;
  /** Writes `value`, which stands at `path`. */
  write(value: T, path: string): Json;
  /** The value that absence stands for. */
  zero(): T;
  /** True when a member of this value may be left out. */
  isEmpty(value: T): boolean;
}

/** Makes a codec out of its rules. */
export function codecOf<T>(name: string, rules: Rules<T>): Codec<T> {
  const codec: Codec<T> = {
    name,
    decode: (json, path = "$") => rules.read(json, path, false),
    validate: (json, path = "$") => rules.read(json, path, true),
    encode: (value, path = "$") => rules.write(value, path),
    parse: (text) => codec.decode(parseJson(text, name)),
    format: (value) => formatJson(rules.write(value, "$")),
    zero: () => rules.zero(),
    isEmpty: (value) => rules.isEmpty(value),
  };
  return codec;
}

/** Longest piece of a received text that an error repeats. */
const quoteLimit = 40;

function describe(json: Json): string {
  if (Array.isArray(json)) return "a list";
  if (isJsonObject(json)) return "an object";
  if (typeof json !== "string") return String(json);
  return JSON.stringify(
    json.length > quoteLimit ? `${json.slice(0, quoteLimit)}…` : json,
  );
}

/** The error for a value of the wrong kind. */
export function mismatch(
  path: string,
  expected: string,
  json: Json,
): ShimError {
  return new ShimError(
    "InvalidArgument",
    `${path}: expected ${expected}, got ${describe(json)}`,
  );
}

function scalar<T extends string | boolean | number | bigint>(
  name: string,
  zero: T,
  accept: (json: Json) => T | undefined,
): Codec<T> {
  return codecOf<T>(name, {
    read(json, path, strict) {
      if (json === null && !strict) return zero;
      const value = accept(json);
      if (value === undefined) throw mismatch(path, name, json);
      return value;
    },
    write(value, path) {
      const checked = accept(value);
      if (checked === undefined) throw mismatch(path, name, value);
      return checked;
    },
    zero: () => zero,
    isEmpty: (value) => value === zero,
  });
}

function small(name: string, low: number, high: number): Codec<number> {
  return scalar(
    name,
    0,
    (json) =>
      typeof json === "number" && Number.isInteger(json) && json >= low &&
        json <= high
        ? json
        : undefined,
  );
}

function wide(name: string, low: bigint, high: bigint): Codec<bigint> {
  return scalar(name, 0n, (json) => {
    if (typeof json === "number" && !Number.isSafeInteger(json)) return;
    if (typeof json !== "number" && typeof json !== "bigint") return;
    const value = BigInt(json);
    return value >= low && value <= high ? value : undefined;
  });
}

/** Text. */
export const string: Codec<string> = scalar(
  "string",
  "",
  (json) => typeof json === "string" ? json : undefined,
);

/** Truth value. */
export const boolean: Codec<boolean> = scalar<boolean>(
  "bool",
  false,
  (json) => typeof json === "boolean" ? json : undefined,
);

/** Double. */
export const number: Codec<number> = scalar(
  "number",
  0,
  (json) => {
    if (typeof json === "bigint") return Number(json);
    return typeof json === "number" && Number.isFinite(json) ? json : undefined;
  },
);

/** Unsigned 8-bit integer. */
export const uint8: Codec<number> = small("uint8", 0, 0xff);
/** Unsigned 16-bit integer. */
export const uint16: Codec<number> = small("uint16", 0, 0xffff);
/** Unsigned 32-bit integer. */
export const uint32: Codec<number> = small("uint32", 0, 0xffffffff);
/** Signed 32-bit integer. */
export const int32: Codec<number> = small("int32", -0x80000000, 0x7fffffff);
/** Signed 64-bit integer. */
export const int64: Codec<bigint> = wide("int64", -(2n ** 63n), 2n ** 63n - 1n);
/** Unsigned 64-bit integer. */
export const uint64: Codec<bigint> = wide("uint64", 0n, 2n ** 64n - 1n);

/** Any JSON, passed through unchanged. */
export const json: Codec<Json> = codecOf<Json>("JSON", {
  read: (value) => value,
  write: (value) => value,
  zero: () => null,
  isEmpty: (value) => value === null,
});

/** Nothing but `null`. */
export const nothing: Codec<null> = codecOf<null>("null", {
  read(value, path, strict) {
    if (strict && value !== null) throw mismatch(path, "null", value);
    return null;
  },
  write: () => null,
  zero: () => null,
  isEmpty: () => true,
});

/** Any JSON object, passed through unchanged. */
export const jsonObject: Codec<JsonObject> = codecOf<JsonObject>(
  "object",
  {
    read(value, path, strict) {
      if (value === null && !strict) return {};
      if (!isJsonObject(value)) throw mismatch(path, "object", value);
      return value;
    },
    write: (value) => value,
    zero: () => ({}),
    isEmpty: () => false,
  },
);
