/**
 * Compares what we gave with what was recorded, by meaning: the order of members
 * and the form of numbers are free, and an empty text is as good as none; nothing
 * else is free. Other empty values may mean something by being there.
 *
 * @module
 */

import { formatJson, isJsonObject, type Json } from "../../base/json.ts";
import { errorDifference } from "./errors.ts";

/** Where two values differ first. */
export interface Difference {
  /** JSON path, for example `$.calls[2].request`. */
  readonly path: string;
  /** What differs, for people. */
  readonly text: string;
}

/** Longest text of a value in a difference. */
const longest = 160;

function shown(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  const text = formatJson(value);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** The path of a member. */
export function memberPath(path: string, name: string): string {
  return /^[\w$]+$/.test(name)
    ? `${path}.${name}`
    : `${path}[${JSON.stringify(name)}]`;
}

function isNumber(value: Json | undefined): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** True for numbers of the same value, whatever their type. */
function sameNumber(a: number | bigint, b: number | bigint): boolean {
  // Loosely: a number and a bigint of one value are equal.
  // deno-lint-ignore eqeqeq -- strict equality tells the types apart
  return a == b;
}

/** The recorder writes an empty list of calls as null. */
function recordedMember(name: string, value: Json | undefined): typeof value {
  return name === "calls" && value === null ? [] : value;
}

/** Objects whose member names are data: there an empty text is an entry. */
const dataObject = /\.annotations(After)?$/;

/** An empty text and no text are the same. */
function isNoText(a: Json | undefined, b: Json | undefined): boolean {
  return a === undefined && b === "";
}

/**
 * Finds the first difference. A member called `error` is compared as errors are:
 * ours is an object with class and message, the recorded one a text.
 *
 * @param ours What we gave.
 * @param theirs What was recorded.
 * @param path Where they stand.
 * @returns Undefined when both mean the same.
 */
export function difference(
  ours: Json | undefined,
  theirs: Json | undefined,
  path = "$",
): Difference | undefined {
  if (isNumber(ours) && isNumber(theirs)) {
    if (sameNumber(ours, theirs)) return undefined;
  } else if (Array.isArray(ours) && Array.isArray(theirs)) {
    return listDifference(ours, theirs, path);
  } else if (isJsonObject(ours) && isJsonObject(theirs)) {
    const names = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
    for (const name of names) {
      const our = ours[name];
      const their = recordedMember(name, theirs[name]);
      const isEmpty = isNoText(our, their) || isNoText(their, our);
      if (isEmpty && !dataObject.test(path)) continue;
      const where = memberPath(path, name);
      const found = name === "error" && our !== undefined &&
          typeof their === "string"
        ? errorDifference(our, their, where)
        : difference(our, their, where);
      if (found !== undefined) return found;
    }
    return undefined;
  } else if (ours === theirs) return undefined;
  return { path, text: `ours ${shown(ours)}, recorded ${shown(theirs)}` };
}

function listDifference(
  ours: readonly Json[],
  theirs: readonly Json[],
  path: string,
): Difference | undefined {
  const length = Math.max(ours.length, theirs.length);
  for (let index = 0; index < length; index++) {
    const found = difference(ours[index], theirs[index], `${path}[${index}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}
