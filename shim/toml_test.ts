import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { parseToml } from "./toml.ts";

function plain(text: string): unknown {
  return JSON.parse(JSON.stringify(parseToml(text)));
}

Deno.test("parseToml() reads what containerd writes for an options table", () => {
  const text = `BinaryName = 'runc'
ScrubLogs = true   # a comment
VMMemorySizeInMB = 1_024
mask = 0xff
half = 0.5
"a b".c = "tab\\t\\u00e9\\""

[DefaultContainerAnnotations]
"io.x/y" = ""
list = [1, 2,
  3, # three
]
inline = { a = 1, b = { c = 'd' } }
`;
  assertEquals(plain(text), {
    BinaryName: "runc",
    ScrubLogs: true,
    VMMemorySizeInMB: 1024,
    mask: 255,
    half: 0.5,
    "a b": { c: 'tab\té"' },
    DefaultContainerAnnotations: {
      "io.x/y": "",
      list: [1, 2, 3],
      inline: { a: 1, b: { c: "d" } },
    },
  });
});

Deno.test("parseToml() reads multi-line strings and an empty text", () => {
  assertEquals(plain("a = '''\nx\\n\ny'''\n"), { a: "x\\n\ny" });
  assertEquals(plain('a = """x \\\n   y"""'), { a: "x y" });
  assertEquals(plain(""), {});
});

Deno.test("parseToml() keeps the key __proto__ a plain key", () => {
  const table = parseToml("[__proto__]\npolluted = true\n");
  assertEquals(Object.keys(table), ["__proto__"]);
  assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
});

Deno.test.each([
  ["a", "line 1"],
  ["a = ", "line 1"],
  ['a = 1\nb = "x\n', "line 2"],
  ["a = 1 b = 2", "the end of the line"],
  ["a = 1\na = 2", "stands twice"],
  ["a = 1\n[a]", "not a table"],
  ["[[a]]", "lists of tables"],
  ["a = 2026-01-01", "expected a value"],
  ['a = "\\q"', "unknown escape"],
  ["a = " + "[".repeat(100), "too deeply"],
  ["a = [1 2]", '","'],
])("parseToml() refuses %o", (text: string, message: string) => {
  assertThrows(() => parseToml(text), ShimError, message);
});
