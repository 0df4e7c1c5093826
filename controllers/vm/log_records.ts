/**
 * Cuts the guest's log into records: JSON objects one behind the other, with or
 * without line feeds, and whatever else a dying guest prints.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../../base/json.ts";

/** A piece of the guest's log. */
export type LogPiece =
  /** A record. */
  | { readonly kind: "record"; readonly record: JsonObject }
  /** A line that is no record. */
  | { readonly kind: "text"; readonly text: string };

const space = /^\s*$/;

/**
 * Takes text in portions and gives the pieces that are complete.
 *
 * What looks like a record and is not JSON, or longer than the limit, becomes
 * text; the next record may follow there.
 */
export class LogRecords {
  readonly #limit: number;
  /** The piece that is not complete yet. */
  #rest = "";
  /** How far `#rest` has been looked at. */
  #at = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** @param limit Characters of a record or a line; longer ones are cut. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a portion. @returns The pieces that it completes. */
  *push(portion: string): Generator<LogPiece> {
    this.#rest += portion;
    for (;;) {
      const piece = this.#next();
      if (piece === undefined) return;
      if (piece.kind === "record" || !space.test(piece.text)) yield piece;
    }
  }

  /** What is left when the log has ended; empty when nothing is. */
  end(): string {
    const rest = this.#rest.trim();
    this.#take(this.#rest.length);
    return rest;
  }

  #take(length: number): string {
    const taken = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    this.#at = 0;
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    return taken;
  }

  #next(): LogPiece | undefined {
    if (this.#at === 0) this.#rest = this.#rest.trimStart();
    if (this.#rest === "") return undefined;
    const piece = this.#rest.startsWith("{") ? this.#record() : this.#line();
    if (piece !== undefined || this.#rest.length < this.#limit) return piece;
    return { kind: "text", text: this.#take(this.#limit) };
  }

  #line(): LogPiece | undefined {
    const end = this.#rest.indexOf("\n");
    if (end < 0) return undefined;
    return { kind: "text", text: this.#take(end + 1).trimEnd() };
  }

  /** The object at the start, once its last brace is there. */
  #record(): LogPiece | undefined {
    for (; this.#at < this.#rest.length; this.#at++) {
      if (!this.#closes(this.#rest.charCodeAt(this.#at))) continue;
      return this.#parsed(this.#at + 1);
    }
    return undefined;
  }

  /** Looks at one character. @returns True when it closes the object. */
  #closes(char: number): boolean {
    if (this.#escaped) this.#escaped = false;
    else if (this.#inString) {
      if (char === 0x5c) this.#escaped = true; // backslash
      else if (char === 0x22) this.#inString = false;
    } else if (char === 0x22) this.#inString = true; // quote
    else if (char === 0x7b) this.#depth++; // {
    else if (char === 0x7d) return --this.#depth === 0; // }
    return false;
  }

  #parsed(length: number): LogPiece {
    const text = this.#take(length);
    try {
      const record: unknown = JSON.parse(text);
      if (isJsonObject(record)) return { kind: "record", record };
    } catch {
      // Not JSON after all: it is shown as it is.
    }
    return { kind: "text", text };
  }
}
