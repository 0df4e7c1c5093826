/**
 * Random JSON that looks like a message, and damage to its text. A seed makes a
 * run repeatable.
 *
 * @module
 */

import type { Codec } from "../../base/codec.ts";
import type { ObjectCodec } from "../../base/codec_shapes.ts";

/** Random numbers from a seed (mulberry32). */
export class Dice {
  #state: number;

  /** @param seed 32 bits. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 up to, not including, `below`. */
  roll(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  }

  /** One of several. */
  pick<T>(list: readonly T[]): T {
    return list[this.roll(list.length)]!;
  }
}

/** Texts of values that tend to be forgotten. */
const values: readonly string[] = [
  "null",
  "true",
  "false",
  "0",
  "-1",
  "4294967295",
  "4294967296",
  "9007199254740993",
  "18446744073709551615",
  "18446744073709551616",
  "-9223372036854775809",
  "1e999",
  "1.5",
  '""',
  '"x"',
  '"../../etc"',
  '"\\u0000"',
  '"\\ud800"',
  '"00000000-0000-0000-0000-000000000000"',
  '"{}"',
  '"[["',
  "{}",
  "[]",
  "[null]",
  "[[],{}]",
  '{"__proto__":1}',
  '{"constructor":{}}',
];

/** Pieces that damage a text. */
const pieces: readonly string[] = [
  ...values,
  ...["{", "}", "[", "]", ":", ",", '"', "\\", "\u0000", "\ufeff", "\n"],
  '"__proto__":',
  '"Result":',
];

/** Deeper than any message; rare, because reading it takes its time. */
const abysses: readonly string[] = ["[".repeat(20_000), '{"a":'.repeat(20_000)];

function piece(dice: Dice): string {
  return dice.pick(dice.roll(500) === 0 ? abysses : pieces);
}

const deepest = 4;

/** The members of a message by name; empty for what is none. */
function namesOf(codec: Codec<never>): readonly string[] {
  const { members } = codec as Partial<ObjectCodec<unknown>>;
  return Object.keys(members ?? {});
}

/** All names that occur in any of the messages. */
export function memberNames(codecs: readonly Codec<never>[]): string[] {
  return [...new Set(codecs.flatMap(namesOf))];
}

function value(dice: Dice, names: readonly string[], depth: number): string {
  const kind = dice.roll(depth >= deepest ? 3 : 6);
  if (kind < 3) return dice.pick(values);
  const length = dice.roll(4);
  const parts = Array.from(
    { length },
    () => value(dice, names, depth + 1),
  );
  if (kind === 3) return `[${parts}]`;
  return `{${
    parts.map((part) => `${JSON.stringify(dice.pick(names))}:${part}`)
  }}`;
}

/** The text of a random message with the members of this one, more or less. */
export function messageText(
  dice: Dice,
  codec: Codec<never>,
  names: readonly string[],
): string {
  const own = namesOf(codec);
  const chosen = own.filter(() => dice.roll(3) > 0);
  if (dice.roll(4) === 0) chosen.push(dice.pick(names));
  if (dice.roll(8) === 0 && own.length > 0) chosen.push(dice.pick(own));
  const members = chosen.map((name) =>
    `${JSON.stringify(name)}:${value(dice, names, 0)}`
  );
  return `{${members}}`;
}

/** Damages a text a little. */
export function damaged(dice: Dice, text: string): string {
  const at = dice.roll(text.length + 1);
  const end = Math.min(text.length, at + dice.roll(12));
  switch (dice.roll(4)) {
    case 0: // cut out
      return text.slice(0, at) + text.slice(end);
    case 1: // say twice
      return text.slice(0, end) + text.slice(at);
    case 2: // put in
      return text.slice(0, at) + piece(dice) + text.slice(at);
    default: // replace
      return text.slice(0, at) + piece(dice) + text.slice(end);
  }
}
