/**
 * Compares errors (architecture, decision 9): that it fails, its class, and that
 * our message contains the ids, paths and values of the peer's innermost message.
 * The wording is ours.
 *
 * @module
 */

import { classify, type ErrorCode, messageOf } from "../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import { injectedClass } from "./call_log.ts";
import type { Difference } from "./compare.ts";

/** An error of ours, as {@linkcode errorDifference} takes it. */
export function errorOf(error: unknown): JsonObject {
  return { code: classify(error), message: messageOf(error) };
}

/** Where the peer's runtime, not the peer, begins to speak. */
const runtimeFragments =
  /\b(?:json: |illegal base64|invalid character|unexpected end of JSON|strconv\.|GetFileAttributesEx |CreateFile |open [A-Za-z]:)|&\{|'\{\[/;

/** Words of the host's system, which it says in its own language. */
const systemMessages =
  /: (?:The system cannot find|The filename|Access is denied|file does not exist|The parameter is)[^:]*$/;

/** Texts with which the peer marks a class. */
const classMarks: readonly [RegExp, ErrorCode][] = [
  [/: failed precondition$/, "FailedPrecondition"],
  [/: invalid argument$/, "InvalidArgument"],
  [/: not found$/, "NotFound"],
  [/: already exists$/, "AlreadyExists"],
  [/: not implemented$/, "NotImplemented"],
  [/: unavailable$/, "Unavailable"],
  [/\binjected failure$/, injectedClass],
];

/** The peer's own part of a message. */
function ownPart(message: string): string {
  const start = message.search(runtimeFragments);
  const own = start < 0 ? message : message.slice(0, start);
  return own.replace(systemMessages, "");
}

/** What stands in quotes, without the escapes of Go's `%q`. */
function quoted(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g)].map((match) =>
    match[2] ?? (match[1] ?? "").replace(/\\(.)/g, "$1")
  );
}

const quotes = /"(?:[^"\\]|\\.)*"|'[^']*'/g;

/** Paths, device paths, URLs and names of annotations: words that carry data. */
const dataWord = /[\\/]|^(?:io|microsoft)\.|^<[\w-]*guid-\d+>$|^\d+$/;

/** Behind such words stands the value that they are about. */
const complaint = /\b(?:invalid|unsupported|unrecogni[sz]ed|unknown)\b/i;

/** Data without quotes, in the innermost part of a message. */
function bareWords(message: string): string[] {
  const parts = message.replace(quotes, " ").split(": ");
  const words = (parts.at(-1) ?? "").split(/\s+/)
    .map((word) => word.replace(/^[([]+|[)\],;:]+$/g, ""))
    .filter((word) => word !== "");
  const isValue = words.length === 1 && complaint.test(parts.at(-2) ?? "");
  return isValue ? words : words.filter((word) => dataWord.test(word));
}

/**
 * The ids, paths and values that our message must repeat: all that stand in
 * quotes, and those without quotes in the innermost part.
 *
 * @param message What the peer said; each line is a message.
 */
export function citedValues(message: string): string[] {
  const values = message.split("\n").flatMap((line) => {
    const own = ownPart(line).replace(/[:\s]+$/, "");
    return [...quoted(own), ...bareWords(own)];
  });
  return [...new Set(values)].filter((value) => value !== "");
}

/** The class that the peer's text shows, if any. */
export function markedClass(message: string): ErrorCode | undefined {
  return classMarks.find(([mark]) => mark.test(message))?.[1];
}

/**
 * Compares an error of ours with the text of the peer's.
 *
 * @param ours The object that {@linkcode errorOf} makes.
 * @param theirs The peer's message.
 * @param path Where they stand.
 */
export function errorDifference(
  ours: Json,
  theirs: string,
  path: string,
): Difference | undefined {
  if (!isJsonObject(ours)) {
    return { path, text: `ours is no error; the peer says: ${theirs}` };
  }
  const { code, message } = ours;
  const expected = markedClass(theirs);
  if (expected !== undefined && code !== expected) {
    return { path, text: `class ${code}, recorded ${expected}: ${theirs}` };
  }
  if (expected === undefined && code === "Unknown") {
    return { path, text: `without a class: ${message}` };
  }
  const text = String(message);
  const lacking = citedValues(theirs).find((value) => !text.includes(value));
  if (lacking === undefined) return undefined;
  return {
    path,
    text: `our message lacks "${lacking}": ${text} (recorded: ${theirs})`,
  };
}
