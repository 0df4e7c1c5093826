import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { jsonLogger, scrubText } from "../base/log.ts";
import { AnnotationReader, parseBool } from "./annotations.ts";
import { classifyContainer } from "./classify.ts";
import {
  expandAnnotations,
  rejectUnsupported,
  withDefaults,
} from "./expand.ts";

Deno.test("parseBool() knows Go's spellings and no others", () => {
  for (const text of ["1", "t", "T", "TRUE", "true", "True"]) {
    assertEquals(parseBool(text), true, text);
  }
  for (const text of ["0", "f", "F", "FALSE", "false", "False"]) {
    assertEquals(parseBool(text), false, text);
  }
  for (const text of ["", "yes", "tRuE", " true", "2"]) {
    assertEquals(parseBool(text), undefined, text);
  }
});

Deno.test("integers are decimal and in their range; others are the default, with a warning", () => {
  const lines: string[] = [];
  const log = jsonLogger((line) => lines.push(line));
  const read = (text: string): AnnotationReader =>
    new AnnotationReader({ n: text }, log);
  assertEquals(read("+4").int32("n"), 4);
  assertEquals(read("-2147483648").int32("n"), -2147483648);
  assertEquals(read("04").uint32("n"), 4);
  assertEquals(read("18446744073709551615").uint64("n"), 2n ** 64n - 1n);
  assertEquals(lines, []);
  for (const bad of ["2147483648", "4.0", " 4", "0x10", "1e3", "", "four"]) {
    assertEquals(read(bad).int32("n", 7), 7, bad);
  }
  assertEquals(read("+4").uint32("n", 7), 7);
  assertEquals(read("-1").uint64("n", 7n), 7n);
  assertEquals(read("18446744073709551616").uint64("n", 7n), 7n);
  assertEquals(lines.length, 10);
  assertEquals(new AnnotationReader({}, log).bool("n", true), true);
  assertEquals(lines.length, 10); // absence needs no warning
});

Deno.test("lists with a bad member are empty", () => {
  const read = (text: string): AnnotationReader =>
    new AnnotationReader({ l: text });
  assertEquals(read("1,2,300").uint32List("l"), [1, 2, 300]);
  const highest = "18446744073709551615";
  assertEquals(read(`0,${highest}`).uint64List("l"), [0n, 2n ** 64n - 1n]);
  for (const bad of ["", "1, 2", "1,", "x", "1,-2", highest]) {
    assertEquals(read(bad).uint32List("l"), [], bad);
  }
});

Deno.test("a boolean that is absent or cannot be read can be a third value", () => {
  const read = (annotations: Record<string, string>) =>
    new AnnotationReader(annotations).optionalBool("b");
  assertEquals(
    [read({}), read({ b: "sure" }), read({ b: "F" }), read({ b: "1" })],
    [undefined, undefined, false, true],
  );
});

Deno.test("annotations with a prefix are found by the rest of their names", () => {
  const reader = new AnnotationReader({ "a.x": "1", "a.y": "2", b: "3" });
  assertEquals(reader.withPrefix("a."), [["x", "1"], ["y", "2"]]);
});

Deno.test("defaults do not replace what is there, even when it is empty", () => {
  assertEquals(withDefaults({ a: "" }, { a: "1", b: "2" }), { a: "", b: "2" });
});

Deno.test("host:O12 a group sets its members; a member that differs is a conflict", () => {
  const group = "io.microsoft.disable-unsafe-operations";
  const member = "io.microsoft.virtualmachine.fileshares.disablewritable";
  const expanded = expandAnnotations({ [group]: "True" });
  assertEquals(expanded[member], "True");
  assertEquals(Object.keys(expanded).length, 5);
  const error = assertThrows(
    () => expandAnnotations({ [group]: "true", [member]: "false" }),
    ShimError,
    `expected the same value of "${group}" and "${member}", got "true" and "false"`,
  );
  assertEquals(error.code, "InvalidArgument");
});

Deno.test("host:O12 a host process that is forbidden is a conflict, however it is forbidden", () => {
  const wanted = { "microsoft.com/hostprocess-container": "1" };
  const forbidding: Record<string, string>[] = [
    { "microsoft.com/disable-hostprocess-container": "true" },
    { "io.microsoft.disable-unsafe-operations": "T" },
  ];
  for (const annotations of forbidding) {
    const error = assertThrows(
      () => expandAnnotations({ ...wanted, ...annotations }),
      ShimError,
      '"microsoft.com/hostprocess-container", got "',
    );
    assertEquals(error.code, "InvalidArgument");
    expandAnnotations(annotations);
  }
  expandAnnotations({
    ...wanted,
    "microsoft.com/disable-hostprocess-container": "false",
  });
});

Deno.test("annotations of another platform are refused when they have a value", () => {
  rejectUnsupported({ "io.microsoft.network.ncproxy": "" });
  assertThrows(
    () =>
      rejectUnsupported({
        "io.microsoft.virtualmachine.kerneldrivers": "d",
        "io.microsoft.network.ncproxy": "p",
      }),
    ShimError,
    "io.microsoft.network.ncproxy annotation is not supported",
  );
});

const typeKey = "io.kubernetes.cri.container-type";
const idKey = "io.kubernetes.cri.sandbox-id";

Deno.test("host:O13 classifyContainer() tells sandboxes, workloads and standalone containers apart", () => {
  assertEquals(classifyContainer(), {
    kind: "standalone",
    sandboxId: undefined,
  });
  assertEquals(
    classifyContainer({ [typeKey]: "sandbox", [idKey]: "p" }),
    { kind: "sandbox", sandboxId: "p" },
  );
  assertEquals(
    classifyContainer({ [typeKey]: "container", [idKey]: "p" }),
    { kind: "workload", sandboxId: "p" },
  );
});

Deno.test("host:O13 classifyContainer() refuses half of the annotations, and unknown types", () => {
  const refused: [Record<string, string>, string][] = [
    [{ [typeKey]: "pod", [idKey]: "p" }, "container type: annotation "],
    [{ [typeKey]: "sandbox" }, `${idKey} is missing`],
    [{ [idKey]: "p" }, `${typeKey} is missing`],
  ];
  for (const [annotations, message] of refused) {
    const error = assertThrows(
      () => classifyContainer(annotations),
      ShimError,
      message,
    );
    assertEquals(error.code, "InvalidArgument");
  }
});

/** What an attempt throws. */
function messageOf(attempt: () => unknown): string {
  return assertThrows(attempt, ShimError).message;
}

Deno.test("a scrubbed log has the names of annotations with bad values, and not the values", () => {
  const secret = "hunter6";
  const lines: string[] = [];
  const write = (line: string): unknown => lines.push(line);
  const readAll = (scrub: boolean): void => {
    const log = jsonLogger(write, { scrub });
    const reader = new AnnotationReader({ n: secret }, log);
    reader.bool("n");
    reader.uint64("n");
    reader.uint32List("n");
  };
  readAll(true);
  assertEquals(lines.map((line) => JSON.parse(line).annotation), [
    "n",
    "n",
    "n",
  ]);
  assertEquals(lines.join().includes(secret), false, lines.join());
  lines.length = 0;
  readAll(false);
  assertEquals(lines.join().split(secret).length, 4);

  const group = "io.microsoft.disable-unsafe-operations";
  const member = "io.microsoft.virtualmachine.fileshares.disablewritable";
  const all = Object.keys(expandAnnotations({ [group]: "true" }))
    .map((name) => [name, secret]);
  const conflicting = { ...Object.fromEntries(all), [group]: "hunter5" };
  const errors: [name: string, message: string][] = [
    [typeKey, messageOf(() => classifyContainer({ [typeKey]: secret }))],
    [member, messageOf(() => expandAnnotations(conflicting))],
  ];
  for (const [name, message] of errors) {
    assertStringIncludes(message, secret);
    // As it is, and as a guest quotes it.
    for (const text of [message, JSON.stringify({ message })]) {
      const scrubbed = scrubText(text);
      assertStringIncludes(scrubbed, name);
      assertEquals(/hunter/.test(scrubbed), false, scrubbed);
    }
  }
});
