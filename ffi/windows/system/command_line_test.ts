import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ShimError } from "../../../base/errors.ts";
import { decodeUtf16 } from "../library/utf16.ts";
import { commandLine, environmentBlock } from "./command_line.ts";

/**
 * `CommandLineToArgvW`, after its documentation: the program ends at the next quote
 * or blank; 2n backslashes and a quote are n backslashes and a quote that opens or
 * closes, 2n+1 and a quote are n backslashes and a quote that is text.
 */
function split(line: string): string[] {
  const program = /^(?:"([^"]*)"|(\S*))[ \t]*/.exec(line)!;
  const args = [program[1] ?? program[2] ?? ""];
  let at = program[0].length;
  while (at < line.length) {
    let text = "";
    let isQuoted = false;
    for (; at < line.length; at++) {
      const slashes = /^\\*/.exec(line.slice(at))![0].length;
      if (slashes > 0 && line[at + slashes] === '"') {
        text += "\\".repeat(slashes >> 1);
        at += slashes;
        if (slashes % 2 === 1) text += '"';
        else isQuoted = !isQuoted;
      } else if (slashes > 0) {
        text += "\\".repeat(slashes);
        at += slashes - 1;
      } else if (line[at] === '"') {
        // A quote after the closing one is text.
        if (isQuoted && line[at + 1] === '"') text += line[++at];
        else isQuoted = !isQuoted;
      } else if (!isQuoted && /[ \t]/.test(line[at]!)) break;
      else text += line[at];
    }
    args.push(text);
    while (at < line.length && /[ \t]/.test(line[at]!)) at++;
  }
  return args;
}

const table: [argument: string, quoted: string][] = [
  ["a", "a"],
  ["", '""'],
  ["a b", '"a b"'],
  ["a\tb", '"a\tb"'],
  ["a\nb", '"a\nb"'],
  ["C:\\a\\", "C:\\a\\"],
  ["C:\\a b", '"C:\\a b"'],
  ["C:\\a b\\", '"C:\\a b\\\\"'],
  ["C:\\a b\\\\", '"C:\\a b\\\\\\\\"'],
  ["\\", "\\"],
  ['"', '"\\""'],
  ['say "hi"', '"say \\"hi\\""'],
  ['\\"', '"\\\\\\""'],
  ['a\\\\"b', '"a\\\\\\\\\\"b"'],
  ['""', '"\\"\\""'],
  ["a\\b", "a\\b"],
  ["--flag=x y", '"--flag=x y"'],
  ["%PATH% ^& | >", '"%PATH% ^& | >"'],
  ["grün", "grün"],
];

for (const [argument, quoted] of table) {
  Deno.test(`the argument ${JSON.stringify(argument)} is written ${quoted}`, () => {
    assertEquals(commandLine(["x.exe", argument]), `x.exe ${quoted}`);
    assertEquals(split(`x.exe ${quoted} end`), ["x.exe", argument, "end"]);
  });
}

Deno.test("a program reads back whatever arguments it was given", () => {
  const characters = fc.constantFrom(
    ...'\\\\\\""" \tab:/-=%^&|<>\'\u00e4\ud83d\ude00\n'.split(""),
  );
  const argument = fc.oneof(
    fc.string({ unit: characters, maxLength: 12 }),
    fc.string({ maxLength: 12 }).map((text) => text.replaceAll("\0", "")),
  );
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 6 }), (args) => {
      const all = ["C:\\Program Files\\x.exe", ...args];
      assertEquals(split(commandLine(all)), all);
    }),
    { numRuns: 1000 },
  );
});

/** Texts of a block; it must end with an empty one. */
function textsOf(block: Uint16Array<ArrayBuffer>): string[] {
  const text = decodeUtf16(block);
  assertEquals(text.slice(-2), "\0\0");
  return text.slice(0, -2).split("\0");
}

Deno.test("an environment is sorted without regard to case, as Windows wants it", () => {
  const block = environmentBlock({
    b: "2",
    A: "1",
    _: "4",
    "=C:": "C:\\dir",
    C: "a=b c",
    EMPTY: "",
  });
  assertEquals(textsOf(block), [
    "=C:=C:\\dir",
    "A=1",
    "b=2",
    "C=a=b c",
    "EMPTY=",
    "_=4",
  ]);
});

Deno.test("of two names that differ only by case the later one counts", () => {
  const parent = { Path: "C:\\old", x: "1" };
  const block = environmentBlock({ ...parent, PATH: "C:\\new" });
  assertEquals(textsOf(block), ["PATH=C:\\new", "x=1"]);
});

Deno.test("an empty environment is two NULs", () => {
  assertEquals(environmentBlock({}), new Uint16Array(2));
});

Deno.test("a NUL in a variable is refused: it would end the block", () => {
  for (const variables of [{ a: "b\0c=d" }, { "a\0b": "c" }]) {
    const error = assertThrows(() => environmentBlock(variables), ShimError);
    assertEquals(error.code, "InvalidArgument");
  }
});
