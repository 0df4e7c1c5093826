import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { BootstrapResult } from "../../../ttrpc/api/bootstrap.gen.ts";
import type { Case } from "./case.ts";
import { readAnswer } from "./command.ts";
import { markdownTable, tally, textTable } from "./report.ts";
import { judgeFailure, notApplicable, type Outcome } from "./runner.ts";
import { groups } from "./suite.ts";
import { control, describeTarget, missing, ours } from "./target.ts";

const names = groups.flatMap(({ cases }) => cases.map(({ name }) => name));

Deno.test("every case of the shim suite has a name of its own", () => {
  assertEquals(names.length, new Set(names).size);
});

Deno.test("what a shim is known to do otherwise names cases that it runs", () => {
  const cases = new Map(
    groups.flatMap((group) => group.cases).map((each) => [each.name, each]),
  );
  assertEquals(ours.differs, {});
  for (const name of Object.keys(control.differs)) {
    assertEquals(notApplicable(cases.get(name)!, control), undefined, name);
  }
});

Deno.test("every ability has words for its absence and its presence", () => {
  assertEquals(
    Object.keys(missing).toSorted(),
    Object.keys(ours.has).toSorted(),
  );
});

Deno.test("a case that needs an ability is not for a shim without it, and the reverse", () => {
  const needs = (pause: boolean): Case => ({
    name: "x",
    needs: { pause },
    run: () => Promise.resolve(),
  });
  assertEquals(notApplicable(needs(false), ours), undefined);
  assertEquals(notApplicable(needs(true), ours), missing.pause.lacks);
  assertEquals(notApplicable(needs(false), control), missing.pause.has);
});

Deno.test("a failure that a shim is known for is a difference, any other a failure", () => {
  const target = { ...control, differs: { known: "because" } };
  const error = new Error("one\n  two");
  assertEquals(judgeFailure(target, "known", error), {
    verdict: "differs",
    why: "because",
  });
  assertEquals(judgeFailure(target, "other", error), {
    verdict: "fail",
    why: "one two",
  });
});

Deno.test("readAnswer() reads every form of answer, and nothing else", () => {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const address = "unix:///run/s/1";
  assertEquals(readAnswer(text(`${address}\n`)), {
    form: "plain",
    version: 2,
    address,
  });
  assertEquals(
    readAnswer(
      text(JSON.stringify({ version: 3, address, protocol: "ttrpc" })),
    ),
    { form: "json", version: 3, address },
  );
  assertEquals(readAnswer(BootstrapResult.encode({ version: 3, address })), {
    form: "protobuf",
    version: 3,
    address,
  });
  for (const wrong of ["", "warning: x\nunix:///run", '{"version":3}', "{"]) {
    assertThrows(() => readAnswer(text(wrong)), ShimError);
  }
});

Deno.test("describeTarget() takes what a description says, and refuses unknown abilities", () => {
  const described = describeTarget(
    "/opt/shim",
    '{"daemon":"1.7","env":{"A":"b"},"has":{"pause":true}}',
  );
  assertEquals(
    [described.name, described.daemon, described.env, described.has],
    ["shim", "1.7", { A: "b" }, { ...ours.has, pause: true }],
  );
  assertThrows(
    () => describeTarget("/opt/shim", '{"has":{"wings":true}}'),
    ShimError,
    "wings",
  );
  assertThrows(
    () => describeTarget("/opt/shim", '{"daemon":"0.1"}'),
    ShimError,
    "0.1",
  );
});

Deno.test("the table has a line per case and says why a shim did not pass", () => {
  const [group] = groups;
  const [first, second] = group!.cases.map(({ name }) => name);
  const outcomes = new Map<string, Outcome>([
    [first!, { verdict: "pass", why: "", ms: 1 }],
    [second!, { verdict: "n/a", why: "it cannot", ms: 0 }],
  ]);
  const columns = [{ name: "ours", outcomes }, {
    name: "other",
    outcomes: "gone",
  }];
  assertEquals(tally(outcomes), { pass: 1, fail: 0, differs: 0, "n/a": 1 });
  assertEquals(textTable(groups, columns), [
    "ours  other",
    "Command line:",
    `pass  -      ${first}`,
    `n/a   -      ${second}`,
    "  ours: it cannot",
  ]);
  const markdown = markdownTable(groups, columns).split("\n");
  assertEquals(
    markdown.includes(`| ${second} | n/a | – | ours: it cannot |`),
    true,
  );
});
