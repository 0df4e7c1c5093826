import { assertEquals } from "@std/assert";
import type { Json } from "../../base/json.ts";
import { difference } from "./compare.ts";

const same: readonly [string, Json, Json][] = [
  ["the order of members", { a: 1, b: 2 }, { b: 2, a: 1 }],
  ["the form of numbers", { a: 18n }, { a: 18 }],
  ["numbers beyond 2^53", { a: 2n ** 64n - 1n }, { a: 2n ** 64n - 1n }],
  ["an empty text and none", { a: "", b: 1 }, { b: 1 }],
  ["no calls, as the recorder writes them", { calls: [] }, { calls: null }],
];

for (const [what, ours, theirs] of same) {
  Deno.test(`difference() finds none in ${what}`, () => {
    assertEquals(difference(ours, theirs), undefined);
  });
}

const different: readonly [string, Json, Json, string][] = [
  ["a value", { a: { b: 1 } }, { a: { b: 2 } }, "$.a.b"],
  ["a member that we lack", {}, { Plan9: {} }, "$.Plan9"],
  ["a member that they lack", { Plan9: {} }, {}, "$.Plan9"],
  ["false and nothing", { a: false }, {}, "$.a"],
  ["null and nothing", { layerFolders: null }, {}, "$.layerFolders"],
  ["null and an empty list", { x: [] }, { x: null }, "$.x"],
  ["the order of a list", [1, 2], [2, 1], "$[0]"],
  ["the length of a list", [1], [1, 2], "$[1]"],
  ["a number and its text", { a: 1 }, { a: "1" }, "$.a"],
  ["names with other characters", { "a b": 1 }, { "a b": 2 }, '$["a b"]'],
  [
    "an annotation that is empty",
    { annotations: { x: "" } },
    { annotations: {} },
    "$.annotations.x",
  ],
];

for (const [what, ours, theirs, path] of different) {
  Deno.test(`difference() finds ${what}`, () => {
    assertEquals(difference(ours, theirs)?.path, path);
  });
}

Deno.test("difference() compares members called error as errors", () => {
  const ours = { error: { code: "NotFound", message: 'No file "C:\\a"' } };
  assertEquals(
    difference(ours, { error: 'stat "C:\\\\a": missing' }),
    undefined,
  );
  assertEquals(difference(ours, {})?.path, "$.error");
  assertEquals(difference({}, { error: "x" })?.path, "$.error");
});
