import { assertEquals } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import {
  citedValues,
  errorDifference,
  errorOf,
  markedClass,
} from "./errors.ts";

const cited: readonly [message: string, values: string[]][] = [
  ['a: file "kernel" not found', ["kernel"]],
  ['dir "C:\\\\boot\\\\x" not found: gone', ["C:\\boot\\x"]],
  ["the file 'C:\\boot\\a.vhd' was not found", ["C:\\boot\\a.vhd"]],
  ["unsupported sandbox platform: linux/386", ["linux/386"]],
  ["invalid PreferredRootFSType: VHD", ["VHD"]],
  ["a: stat bind mount source C:\\h\\m: GetFileAttributesEx C:\\h\\m: no", [
    "C:\\h\\m",
  ]],
  ["total memory 1536 does not match UVM memory 2048", ["1536", "2048"]],
  ["a mix of wildcard (255) and non-wildcard (0) numbers", ["255", "0"]],
  ["device PCIP\\A\\5&1 with index 4 is given twice", ["PCIP\\A\\5&1", "4"]],
  ["reserve share for C:\\data: other config is there", []],
  ["io.microsoft.network.ncproxy annotation is not supported", [
    "io.microsoft.network.ncproxy",
  ]],
  ["no device with vmBusGUID <guid-0> is assigned", ["<guid-0>"]],
  ["decode policy: illegal base64 data at input byte 3", []],
  ["invalid mount: both are required: &{Destination:/a Source:C:\\x}", []],
  ['first "a" = "1"\nsecond "b" = "2"', ["a", "1", "b", "2"]],
];

for (const [message, values] of cited) {
  Deno.test(`citedValues() of ${JSON.stringify(message)}`, () => {
    assertEquals(citedValues(message), values);
  });
}

Deno.test("markedClass() knows the classes that the peer writes down", () => {
  assertEquals(markedClass("x: failed precondition"), "FailedPrecondition");
  assertEquals(markedClass("hcs: injected failure"), "PermissionDenied");
  assertEquals(markedClass("failed precondition of x"), undefined);
});

Deno.test("errorDifference() wants the class and the values, not the words", () => {
  const ours = errorOf(new ShimError("NotFound", 'Cannot find "a"'));
  const differs = (theirs: string) => errorDifference(ours, theirs, "$.error");
  assertEquals(differs('what "a" is: nobody knows'), undefined);
  assertEquals(
    differs('no "b"')?.text,
    'our message lacks "b": Cannot find "a" (recorded: no "b")',
  );
  assertEquals(
    differs("x: failed precondition")?.text,
    "class NotFound, recorded FailedPrecondition: x: failed precondition",
  );
});

Deno.test("errorDifference() refuses errors without a class, and what is none", () => {
  const bare = errorOf(new TypeError("x is undefined"));
  const { text } = errorDifference(bare, "it failed", "$.error") ??
    { text: "" };
  assertEquals(text, "without a class: x is undefined");
  assertEquals(errorDifference("text", "it failed", "$")?.path, "$");
});
