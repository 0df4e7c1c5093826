/**
 * Combinators of JSON codecs: enumerations, nested JSON text, lists, maps, and
 * messages as tables of members.
 *
 * @module
 */

import { type Codec, codecOf, mismatch, type Rules, string } from "./codec.ts";
import { ShimError } from "./errors.ts";
import { isJsonObject, type Json, type JsonObject, parseJson } from "./json.ts";

function read<T>(
  codec: Codec<T>,
  value: Json,
  path: string,
  strict: boolean,
): T {
  return strict ? codec.validate(value, path) : codec.decode(value, path);
}

/**
 * Text out of a set. Only the strict reading insists on the set: a peer may
 * know more words than we do.
 */
export function oneOf(...words: readonly string[]): Codec<string> {
  const expected = `one of ${words.map((word) => `"${word}"`).join(", ")}`;
  return codecOf<string>("string", {
    read(value, path, strict) {
      const text = read(string, value, path, strict);
      if (strict && !words.includes(text)) {
        throw mismatch(path, expected, text);
      }
      return text;
    },
    write: (value, path) => string.encode(value, path),
    zero: () => "",
    isEmpty: (value) => value === "",
  });
}

/**
 * Text that holds the JSON text of another type, or nothing. The value stays
 * text; the strict reading looks inside.
 */
export function jsonText<T>(content: () => Codec<T>): Codec<string> {
  return codecOf<string>("string", {
    read(value, path, strict) {
      const text = read(string, value, path, strict);
      if (strict && text !== "") {
        content().validate(parseJson(text, path), `${path}:$`);
      }
      return text;
    },
    write: (value, path) => string.encode(value, path),
    zero: () => "",
    isEmpty: (value) => value === "",
  });
}

/** A value that may be `null`, which is kept and written back. */
export function nullable<T>(inner: Codec<T>): Codec<T | null> {
  return codecOf<T | null>(inner.name, {
    read: (value, path, strict) =>
      value === null ? null : read(inner, value, path, strict),
    write: (value, path) => value === null ? null : inner.encode(value, path),
    zero: () => null,
    isEmpty: (value) => value === null || inner.isEmpty(value),
  });
}

/** A list. */
export function list<T>(item: Codec<T>): Codec<T[]> {
  return codecOf<T[]>("list", {
    read(value, path, strict) {
      if (value === null && !strict) return [];
      if (!Array.isArray(value)) throw mismatch(path, "list", value);
      return value.map((entry, index) =>
        read(item, entry, `${path}[${index}]`, strict)
      );
    },
    write: (value, path) =>
      value.map((entry, index) => item.encode(entry, `${path}[${index}]`)),
    zero: () => [],
    isEmpty: (value) => value.length === 0,
  });
}

/** Sets an own property whatever its name is (`__proto__` arrives from peers). */
function put(target: object, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(target, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else (target as Record<string, unknown>)[name] = value;
}

/** An object whose member names are data. */
export function map<T>(item: Codec<T>): Codec<Record<string, T>> {
  return codecOf<Record<string, T>>("object", {
    read(value, path, strict) {
      if (value === null && !strict) return {};
      if (!isJsonObject(value)) throw mismatch(path, "object", value);
      const result: Record<string, T> = {};
      for (const [name, entry] of Object.entries(value)) {
        put(result, name, read(item, entry, memberPath(path, name), strict));
      }
      return result;
    },
    write(value, path) {
      const result: JsonObject = {};
      for (const [name, entry] of Object.entries(value)) {
        put(result, name, item.encode(entry, memberPath(path, name)));
      }
      return result;
    },
    zero: () => ({}),
    isEmpty: (value) => Object.keys(value).length === 0,
  });
}

function memberPath(path: string, name: string): string {
  return /^\w+$/.test(name)
    ? `${path}.${name}`
    : `${path}[${JSON.stringify(name)}]`;
}

/** One member of a message: its type, and when it is written. */
export interface Member<T> {
  /** Type of the value. */
  readonly codec: Codec<T>;
  /**
   * `always`: also when empty, and its absence is an error of the strict
   * reading; `filled`: not when empty; `set`: whenever it is defined.
   */
  readonly emit: "always" | "filled" | "set";
}

/** A member that is always written, and always there after reading. */
export function always<T>(codec: Codec<T>): Member<T> {
  return { codec, emit: "always" };
}

/** A member that is left out when it is empty. */
export function filled<T>(codec: Codec<T>): Member<T> {
  return { codec, emit: "filled" };
}

/** A member that is written whenever it is set, empty or not. */
export function whenSet<T>(codec: Codec<T>): Member<T> {
  return { codec, emit: "set" };
}

/** The members of a message by their names on the wire. */
export type Members<T> = {
  readonly [K in keyof T]-?: Member<Exclude<T[K], undefined>>;
};

/** Codec of a message; its members can be part of a larger one. */
export interface ObjectCodec<T> extends Codec<T> {
  /** The members by their names on the wire. */
  readonly members: Members<T>;
}

/** Settings of {@linkcode object}. */
export interface ObjectOptions {
  /** Unknown members are kept, written back, and right in the strict reading. */
  readonly open?: boolean;
}

/** A message: an object with known members. */
export function object<T extends object>(
  name: string,
  members: Members<T>,
  { open = false }: ObjectOptions = {},
): ObjectCodec<T> {
  const table = Object.entries(members) as [string, Member<unknown>][];
  const known = new Map(table);
  const insensitive = new Map(
    table.map(([member]) => [member.toLowerCase(), member]),
  );

  /** Finds the member that a received name means. */
  const meaning = (source: JsonObject, received: string, strict: boolean) => {
    if (known.has(received)) return received;
    if (strict) return undefined;
    const member = insensitive.get(received.toLowerCase());
    return member !== undefined && Object.hasOwn(source, member)
      ? undefined // the exact spelling is there too, and wins
      : member;
  };

  const rules: Rules<T> = {
    read(value, path, strict) {
      if (value === null && !strict) return rules.zero();
      if (!isJsonObject(value)) throw mismatch(path, "object", value);
      const result = {};
      for (const [received, entry] of Object.entries(value)) {
        const member = meaning(value, received, strict);
        const rule = member === undefined ? undefined : known.get(member);
        const where = memberPath(path, received);
        if (member === undefined || rule === undefined) {
          if (open) put(result, received, entry);
          else if (strict) {
            throw new ShimError(
              "InvalidArgument",
              `${where}: ${name} has no member "${received}"`,
            );
          }
          continue;
        }
        const decoded = read(rule.codec, entry, where, strict);
        // Null means absent, unless null is a value of the type.
        if (entry !== null || decoded === null) put(result, member, decoded);
      }
      for (const [member, { codec, emit }] of table) {
        if (emit !== "always" || Object.hasOwn(result, member)) continue;
        if (strict) {
          throw new ShimError(
            "InvalidArgument",
            `${
              memberPath(path, member)
            }: required member of ${name} is missing`,
          );
        }
        put(result, member, codec.zero());
      }
      return result as T;
    },
    write(value, path) {
      const result: JsonObject = {};
      const source = value as Record<string, unknown>;
      for (const [member, { codec, emit }] of table) {
        const given = source[member];
        const entry = given ?? (emit === "always" ? codec.zero() : given);
        if (entry === undefined) continue;
        if (emit !== "filled" || !codec.isEmpty(entry)) {
          result[member] = codec.encode(entry, memberPath(path, member));
        }
      }
      if (open) {
        for (const [member, entry] of Object.entries(source)) {
          if (known.has(member) || entry === undefined) continue;
          put(result, member, entry as Json);
        }
      }
      return result;
    },
    zero: () => rules.read({}, "$", false),
    isEmpty: () => false, // an object that was set says something by being there
  };
  const codec = codecOf(name, rules);
  return Object.assign(codec, { members });
}
