import { assertEquals, assertThrows } from "@std/assert";
import { coverageOf, isExcepted, reportLines } from "./coverage.ts";
import { parseList } from "./lists.ts";
import { claimsOf } from "./test_names.ts";

const hostList = `# A list

One line per behaviour.

## B. Sandbox service

- B1 A second one is refused.
- B2 It goes on
  in the next line.

## L. Migration controller

- L1 New is Idle.
`;

const guestList = `## G. Rule
| # | bundle | bind | T |
|---|---|---|---|
| G1 | /run/a | no | U |
| G2 | /run/b | yes | U |
`;

Deno.test("parseList() reads the items of the host's list, also over two lines", () => {
  const sections = parseList("host", hostList);
  assertEquals(sections.map(({ title }) => title), [
    "host B. Sandbox service",
    "host L. Migration controller",
  ]);
  assertEquals(sections[0]?.behaviours, [
    { id: "host:B1", text: "A second one is refused." },
    { id: "host:B2", text: "It goes on in the next line." },
  ]);
});

Deno.test("parseList() reads the rows of the guest's tables", () => {
  const [section] = parseList("guest", guestList);
  assertEquals(section?.behaviours.map(({ id }) => id), [
    "guest:G1",
    "guest:G2",
  ]);
  assertEquals(section?.behaviours[0]?.text, "/run/a | no | U");
});

Deno.test("parseList() refuses an id that occurs twice", () => {
  assertThrows(() => parseList("host", "- A1 x\n- A1 y"), Error, "host:A1");
});

Deno.test("claimsOf() finds ids in names of tests, of steps and in tables", () => {
  const source = `
    // host:B9 in a comment claims nothing
    Deno.test("host:B1 guest:F13 two ids", () => {});
    Deno.test({ name: "the name of host:B2 is a member", fn() {} });
    Deno.test(\`host:B3 \${what} is a template\`, () => {});
    const table = [["host:B4 in a table", 1]];
    const byName = { "host:B5 as a key": 1 };
    await t.step("a step for host:B6", () => {});
    console.log("a text that speaks of host:B7");
    Deno.test.ignore("host:B8 never runs", () => {});
    goldenTest("compares host:B10", "set", () => {});
  `;
  const { claims, errors } = claimsOf("a_test.ts", source);
  assertEquals(claims.map(({ id }) => id), [
    "host:B1",
    "guest:F13",
    "host:B2",
    "host:B3",
    "host:B4",
    "host:B5",
    "host:B6",
    "host:B10",
  ]);
  assertEquals(claims[0], { id: "host:B1", file: "a_test.ts", line: 3 });
  assertEquals(errors, []);
});

Deno.test("claimsOf() refuses ranges, however they are written", () => {
  for (
    const name of [
      "host:B1-B3 x",
      "host:B1 – host:B3 x",
      "host:B1..B3 x",
      "guest:F1-3 x",
      "host:B1…B3",
    ]
  ) {
    const source = `Deno.test(${JSON.stringify(name)}, () => {});`;
    const { errors } = claimsOf("a_test.ts", source);
    assertEquals(errors.length, 1, name);
  }
  const fine = claimsOf("a_test.ts", 'Deno.test("host:B1 - 2 of 3", f);');
  assertEquals(fine.errors, []);
});

Deno.test("coverageOf() parts covered, excepted and missing, and refuses unknown ids", () => {
  const sections = parseList("host", hostList);
  const at = { file: "a_test.ts", line: 7 };
  const { sections: [first, second], errors } = coverageOf(sections, [
    { id: "host:B1", ...at },
    { id: "host:Z1", ...at },
  ]);
  assertEquals(first, {
    title: "host B. Sandbox service",
    total: 2,
    covered: ["host:B1"],
    excepted: [],
    missing: ["host:B2"],
  });
  assertEquals(second?.excepted, ["host:L1"]);
  assertEquals(errors, ["a_test.ts:7: no list has host:Z1"]);
});

Deno.test("coverageOf() counts what a test names as covered, migration or not", () => {
  const sections = parseList("host", hostList);
  const claim = { id: "host:L1", file: "a_test.ts", line: 1 };
  const [, second] = coverageOf(sections, [claim]).sections;
  assertEquals([second?.covered, second?.excepted], [["host:L1"], []]);
});

Deno.test("isExcepted() knows migration, save and import, not other resumes", () => {
  const rows: [string, string, boolean][] = [
    ["host L. Migration controller", "New is Idle.", true],
    ["host E. SCSI", "Saving a detached disk fails FP.", true],
    ["host E. SCSI", "Import rejects a nil envelope.", true],
    ["host J. Process", "Patch in wrong state FP.", true],
    ["host I. Pod", "Resume is a no-op when not migrating.", true],
    ["host H. Network", "Resume from other states rejected.", true],
    ["host D. Task service", "Resume is not implemented.", false],
    ["host M. Bridge", "RPC round trip.", false],
    ["guest E. Mounts", "RW device can be added.", false],
  ];
  for (const [title, text, expected] of rows) {
    assertEquals(isExcepted(title, { id: "host:X1", text }), expected, text);
  }
});

Deno.test("reportLines() ends with the sums", () => {
  const sections = [
    ...parseList("host", hostList),
    ...parseList("guest", guestList),
  ];
  const claim = { id: "guest:G1", file: "a_test.ts", line: 1 };
  assertEquals(reportLines(coverageOf(sections, [claim])), [
    "host B. Sandbox service: 0 / 2",
    "  missing: B1 B2",
    "host L. Migration controller: 0 / 1",
    "  excepted: L1",
    "guest G. Rule: 1 / 2",
    "  missing: G2",
    "excepted means: about migration, save or import: live migration comes later",
    "host: 0 / 3 covered, 2 missing, 1 excepted",
    "guest: 1 / 2 covered, 1 missing, 0 excepted",
    "total: 1 / 5 covered, 3 missing, 1 excepted",
  ]);
});
