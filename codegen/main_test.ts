import { assert, assertEquals, assertThrows } from "@std/assert";
import { inOrder, type MessageModel, readSchemas } from "./json_schema.ts";
import { stale } from "./main.ts";
import { memberName } from "./proto_fields.ts";
import { docs } from "./text.ts";

Deno.test("stale() names files that are missing or differ", () => {
  const texts = new Map([
    ["deno.json", "{}"],
    ["ttrpc/api/nowhere.gen.ts", ""],
  ]);
  assertEquals(stale(texts), ["deno.json", "ttrpc/api/nowhere.gen.ts"]);
});

function withSchema(definition: unknown, use: (folder: URL) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    const text = JSON.stringify({ $defs: { Thing: definition } });
    Deno.writeTextFileSync(`${folder}/thing.json`, text);
    use(new URL(`file://${folder}/`));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("readSchemas() gives every member its type, its codec and when it is written", () => {
  const properties = {
    Lun: { type: "integer", format: "uint8", description: "-" },
    Size: { type: "integer", format: "uint64", description: "Bytes." },
    Kind: { type: "string", enum: ["A", "B"] },
    Names: {
      type: ["array", "null"],
      items: { type: "string" },
      description: "-",
    },
    Map: {
      type: "object",
      additionalProperties: { type: "boolean" },
      description: "-",
    },
    Any: { "x-keep": true, description: "-" },
    Text: {
      type: "string",
      "x-json-text": "#/$defs/Thing",
      description: "-",
    },
  };
  const thing = { description: "A thing.", properties, required: ["Lun"] };
  withSchema(thing, (folder) => {
    const [file] = readSchemas(folder);
    const members = file?.messages[0]?.members ?? [];
    assertEquals(
      members.map(({ name, type, codec, emit }) => [name, type, codec, emit]),
      [
        ["Lun", "number", "uint8", "always"],
        ["Size", "bigint", "uint64", "filled"],
        ["Kind", "string", 'oneOf("A", "B")', "filled"],
        ["Names", "string[] | null", "nullable(list(string))", "filled"],
        ["Map", "Record<string, boolean>", "map(boolean)", "filled"],
        ["Any", "Json", "json", "whenSet"],
        ["Text", "string", "jsonText(() => Thing)", "filled"],
      ],
    );
    assertEquals(members[1]?.docs, "Bytes.");
    assertEquals(members[2]?.docs, "One of `A`, `B`.");
  });
});

Deno.test("readSchemas() says what it does not understand, and where", () => {
  const cases: [unknown, string][] = [
    [{ type: "object" }, "Thing has no description"],
    [
      { description: "-", properties: { A: { type: "string" } } },
      "Thing.A has no description",
    ],
    [
      {
        description: "-",
        properties: { A: { description: "-", type: "integer" } },
      },
      "Thing.A: integer of no width",
    ],
    [
      {
        description: "-",
        properties: { A: { description: "-", type: "tuple" } },
      },
      'Thing.A: type "tuple" is not understood',
    ],
    [
      {
        description: "-",
        properties: { A: { description: "-", $ref: "elsewhere" } },
      },
      'Cannot follow $ref "elsewhere"',
    ],
  ];
  for (const [definition, message] of cases) {
    withSchema(definition, (folder) => {
      assertThrows(() => readSchemas(folder), Error, message);
    });
  }
});

Deno.test("inOrder() puts parts before wholes and refuses cycles and strangers", () => {
  const message = (name: string, ...parts: string[]): MessageModel => ({
    name,
    docs: "-",
    bases: [],
    open: false,
    members: parts.map((part) => ({
      name: part,
      docs: "",
      required: false,
      emit: "filled",
      type: part,
      codec: part,
      uses: [],
      after: [part],
    })),
  });
  const ordered = inOrder([
    message("A", "B", "C"),
    message("B", "C"),
    message("C"),
  ]);
  assertEquals(ordered.map(({ name }) => name), ["C", "B", "A"]);
  assertThrows(
    () => inOrder([message("A", "B"), message("B", "A")]),
    Error,
    "A contains itself",
  );
  assertThrows(() => inOrder([message("A", "X")]), Error, 'no type "X"');
});

Deno.test("member names are lower camel case, and odd ones stay as they are", () => {
  assertEquals(memberName("kernel_time_100_ns"), "kernelTime100Ns");
  assertEquals(memberName("id"), "id");
  assertEquals(memberName("GPUVHDPath"), "GPUVHDPath");
});

Deno.test("docs() wraps lines, keeps links whole and cannot end a comment", () => {
  const link = "{@linkcode AVeryLongNameOfAType}";
  const text = docs(`${"word ".repeat(13)}${link} and */ more`);
  assert(text.split("\n").every((line) => line.length <= 76));
  assert(text.includes(link));
  assert(!text.includes("*/"));
});
