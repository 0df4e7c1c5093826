import { assertEquals } from "@std/assert";
import { numberIds } from "./random_ids.ts";
import { readRecording } from "./recordings.ts";

Deno.test("readRecording() reads cases, with the group of the file", () => {
  const text = JSON.stringify({
    schema: "hcs-modify/1",
    group: "vm-scsi",
    cases: [{ name: "a", input: { lun: 1 }, output: {}, peerDefects: ["x"] }],
  });
  assertEquals(readRecording("f.json", text).cases, [{
    name: "a",
    group: "vm-scsi",
    input: { lun: 1 },
    output: {},
    defects: ["x"],
  }]);
});

Deno.test("readRecording() keeps integers that a double cannot hold", () => {
  const text =
    '{"cases":[{"name":"a","input":{"n":18446744073709551615},"output":{}}]}';
  const [first] = readRecording("f.json", text).cases;
  assertEquals(first?.input.n, 2n ** 64n - 1n);
});

for (const text of ["{", "[]", '{"cases":1}', '{"cases":[{"name":"a"}]}']) {
  Deno.test(`readRecording() says why it cannot read ${text}`, () => {
    const { cases, error } = readRecording("f.json", text);
    assertEquals([cases.length, typeof error], [0, "string"]);
  });
}

Deno.test("numberIds() numbers what is random, and leaves what was given", () => {
  const given = "0badcafe-1111-1222-8333-444444444444";
  const [a, b] = [crypto.randomUUID(), crypto.randomUUID()];
  const port = "0000006d-facb-11e6-bd58-64006a7986d3";
  assertEquals(
    numberIds(
      { [`x/${b}`]: [a, b, given, port, `${a}!`] },
      `{"id":"${given}"}`,
    ),
    { "x/<guid-0>": ["<guid-1>", "<guid-0>", given, port, "<guid-1>!"] },
  );
});
