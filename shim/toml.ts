/**
 * The part of TOML 1.0 in which containerd hands a runtime its options table:
 * comments, tables, dotted keys, strings, integers, floats, booleans, lists and
 * inline tables. Dates and lists of tables are refused.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

/** A TOML value. */
export type TomlValue = string | number | boolean | TomlValue[] | TomlTable;

/** A TOML table. */
export interface TomlTable {
  [key: string]: TomlValue;
}

const escapes: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  '"': '"',
  "\\": "\\",
};

/** Nesting of lists and inline tables beyond which a text is refused. */
const maxDepth = 32;

function newTable(): TomlTable {
  return Object.create(null);
}

function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value);
}

/** Walks over the text once. */
class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** An error that names the line. */
  #refuse(what: string): ShimError {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    return new ShimError("InvalidArgument", `line ${line}: ${what}`);
  }

  /** Takes what `pattern` (sticky) matches here. */
  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at += match[0].length;
    return match;
  }

  #expect(pattern: RegExp, what: string): void {
    if (this.#take(pattern) === null) throw this.#refuse(`expected ${what}`);
  }

  /** Blanks, line ends and comments. */
  #skip(): void {
    this.#take(/(?:[ \t\r\n]|#[^\n]*)*/y);
  }

  document(): TomlTable {
    const root = newTable();
    let table = root;
    for (this.#skip(); this.#at < this.#text.length; this.#skip()) {
      if (this.#take(/\[\[/y)) {
        throw this.#refuse("lists of tables are refused");
      }
      if (this.#take(/\[[ \t]*/y)) {
        table = this.#descend(root, this.#keys());
        this.#expect(/[ \t]*\]/y, '"]"');
      } else {
        this.#pair(table, 0);
      }
      this.#expect(/[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y, "the end of the line");
    }
    return root;
  }

  #pair(table: TomlTable, depth: number): void {
    const keys = this.#keys();
    const last = keys.pop()!;
    const target = this.#descend(table, keys);
    this.#expect(/[ \t]*=[ \t]*/y, '"="');
    if (last in target) throw this.#refuse(`key "${last}" stands twice`);
    target[last] = this.#value(depth);
  }

  #keys(): string[] {
    const keys: string[] = [];
    do keys.push(this.#key()); while (this.#take(/[ \t]*\.[ \t]*/y));
    return keys;
  }

  #key(): string {
    const bare = this.#take(/[A-Za-z0-9_-]+/y);
    if (bare !== null) return bare[0];
    const text = this.#string();
    if (text === undefined) throw this.#refuse("expected a key");
    return text;
  }

  #descend(table: TomlTable, keys: readonly string[]): TomlTable {
    for (const key of keys) {
      const next = table[key] ??= newTable();
      if (!isTable(next)) throw this.#refuse(`"${key}" is not a table`);
      table = next;
    }
    return table;
  }

  #string(): string | undefined {
    const literal = this.#take(/'''(?:\r?\n)?([\s\S]*?)'''|'([^'\n]*)'/y);
    if (literal !== null) return literal[1] ?? literal[2] ?? "";
    const basic = this.#take(
      /"""(?:\r?\n)?((?:[^\\]|\\[\s\S])*?)"""|"((?:[^"\\\n]|\\[^\n])*)"/y,
    );
    return basic === null
      ? undefined
      : this.#unescape(basic[1] ?? basic[2] ?? "");
  }

  #unescape(text: string): string {
    return text.replaceAll(
      /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|[ \t]*\r?\n\s*|([\s\S]))/g,
      (_all, short?: string, long?: string, one?: string) => {
        const code = short ?? long;
        if (code !== undefined) {
          const point = parseInt(code, 16);
          if (point > 0x10ffff) throw this.#refuse(`no character U+${code}`);
          return String.fromCodePoint(point);
        }
        if (one === undefined) return "";
        const plain = escapes[one];
        if (plain === undefined) {
          throw this.#refuse(`unknown escape "\\${one}"`);
        }
        return plain;
      },
    );
  }

  #value(depth: number): TomlValue {
    if (depth > maxDepth) throw this.#refuse("nested too deeply");
    const text = this.#string();
    if (text !== undefined) return text;
    if (this.#take(/\[/y)) return this.#list(depth + 1);
    if (this.#take(/\{[ \t]*/y)) return this.#inlineTable(depth + 1);
    const word = this.#take(/true|false/y)?.[0];
    if (word !== undefined) return word === "true";
    const number = this.#take(
      /0x[0-9A-Fa-f_]+|0o[0-7_]+|0b[01_]+|[+-]?\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?(?![\d:-])/y,
    )?.[0];
    if (number === undefined) throw this.#refuse("expected a value");
    return Number(number.replaceAll("_", ""));
  }

  #list(depth: number): TomlValue[] {
    const values: TomlValue[] = [];
    for (this.#skip(); this.#take(/\]/y) === null; this.#skip()) {
      if (values.length > 0) {
        this.#expect(/,/y, '"," or "]"');
        this.#skip();
        if (this.#take(/\]/y)) break;
      }
      values.push(this.#value(depth));
    }
    return values;
  }

  #inlineTable(depth: number): TomlTable {
    const table = newTable();
    if (this.#take(/\}/y)) return table;
    do this.#pair(table, depth); while (this.#take(/[ \t]*,[ \t]*/y));
    this.#expect(/[ \t]*\}/y, '"," or "}"');
    return table;
  }
}

/**
 * Parses a TOML text.
 *
 * @param text The text.
 * @returns The root table; tables have no prototype.
 * @throws {ShimError} InvalidArgument naming the line.
 *
 * @example One table
 * ```ts
 * import { parseToml } from "./toml.ts";
 * console.assert(parseToml("ScrubLogs = true\n").ScrubLogs === true);
 * ```
 */
export function parseToml(text: string): TomlTable {
  return new Parser(text).document();
}
