/**
 * Random protobuf messages: fields with numbers and types that the messages of
 * this project have, so that a good part of them means something.
 *
 * @module
 */

import fc from "fast-check";

/** Largest field number that is made; no request has more fields. */
const lastField = 12;

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}

/** A field's tag and value. Wire type 0 is a varint, 2 has a length. */
function field(number: number, value: bigint | Uint8Array): number[] {
  return typeof value === "bigint"
    ? [...varint(BigInt(number << 3)), ...varint(value)]
    : [
      ...varint(BigInt(number << 3 | 2)),
      ...varint(BigInt(value.length)),
      ...value,
    ];
}

/** Values of number fields that tend to be forgotten. */
const numbers = fc.oneof(
  fc.constantFrom(0n, 1n, 9n, 15n, 65535n, 65536n, 2n ** 31n, 2n ** 64n - 1n),
  fc.bigInt(0n, 2n ** 64n - 1n),
);

const encoder = new TextEncoder();

/** Mostly one of the words. */
function textOf(words: readonly string[]): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: fc.string() },
  ).map((word) => encoder.encode(word));
}

/**
 * Messages whose first field is an id, mostly, and whose other fields are
 * numbers, texts, bytes and messages again.
 *
 * @param ids Ids that mean something; others come too.
 * @param words Texts that mean something; others come too.
 * @param depth How deep messages are nested.
 */
export function wireMessage(
  ids: readonly string[],
  words: readonly string[],
  depth = 2,
): fc.Arbitrary<Uint8Array> {
  const text = textOf(words);
  const value: fc.Arbitrary<bigint | Uint8Array> = fc.oneof(
    { weight: 5, arbitrary: text },
    { weight: 2, arbitrary: numbers },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) },
    ...depth === 0
      ? []
      : [{ weight: 2, arbitrary: wireMessage(words, words, depth - 1) }],
  );
  const other = fc.tuple(fc.integer({ min: 1, max: lastField }), value);
  return fc.tuple(
    fc.array(textOf(ids), { minLength: 0, maxLength: 1 })
      .map((texts) => texts.map((id) => [1, id] as const)),
    fc.array(other, { maxLength: 4 })
      // What comes last counts: the id is not replaced too often.
      .map((fields) => fields.filter(([number], at) => number > 1 || at > 2)),
  ).map((parts) =>
    Uint8Array.from(
      parts.flat().flatMap(([number, value]) => field(number, value)),
    )
  );
}
