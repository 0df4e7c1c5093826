import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ShimError } from "./errors.ts";
import { formatJson, parseJson } from "./json.ts";

Deno.test("parseJson() and formatJson() keep 64-bit integers digit for digit", () => {
  const text =
    '{"a":18446744073709551615,"b":-9223372036854775808,"c":9007199254740993,"d":1.5}';
  assertEquals(formatJson(parseJson(text)), text);
  assertEquals(parseJson("9007199254740991"), 9007199254740991);
  assertEquals(parseJson("9007199254740993"), 9007199254740993n);
});

Deno.test("parseJson() and formatJson() are inverse for every JSON value", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.bigInt(), (value, large) => {
    const text = formatJson([value, large]);
    assertEquals(formatJson(parseJson(text)), text);
  }));
});

Deno.test("parseJson() names the text that cannot be parsed", async () => {
  const error = assertThrows(
    () => parseJson("{", "config.json"),
    ShimError,
    "Cannot parse config.json",
  );
  assertEquals(error.code, "InvalidArgument");
  await assertRejects(
    async () => await Promise.resolve(parseJson("")),
    ShimError,
  );
});

Deno.test("parseJson() makes __proto__ an ordinary member", () => {
  const value = parseJson('{"__proto__":{"x":1}}') as Record<string, unknown>;
  assertEquals(Object.keys(value), ["__proto__"]);
  assertEquals(Object.getPrototypeOf(value), Object.prototype);
});
