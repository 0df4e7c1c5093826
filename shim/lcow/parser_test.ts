import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parse, type Parsed, UsageError, wantsJson } from "./parser.ts";
import type { Invocation, Word } from "./word.ts";
import { words } from "./words.ts";

function word(
  name: string,
  more: Partial<Pick<Word, "operands" | "flags">> = {},
): Word {
  return {
    name,
    summary: `does ${name}`,
    operands: [],
    flags: [],
    run: () => Promise.resolve({}),
    ...more,
  };
}

const table: readonly Word[] = [
  word("list", {
    operands: [{ name: "ID", summary: "whose", optional: true }],
    flags: [
      { name: "tail", short: "t", value: "LINES", summary: "the last ones" },
      { name: "follow", short: "f", summary: "go on" },
    ],
  }),
  word("run", {
    operands: [
      { name: "ID", summary: "where" },
      { name: "COMMAND", summary: "what", rest: true },
    ],
    flags: [{ name: "tty", summary: "a terminal" }],
  }),
];

/** What a command line says, in plain values. */
function read(...args: string[]): unknown[] {
  const { word, operands, switches, values } = parse(args, table) as Invocation;
  return [word.name, operands, [...switches], Object.fromEntries(values)];
}

Deno.test("parse() takes flags and operands in any order and spelling", () => {
  assertEquals(read("list"), ["list", [], [], {}]);
  const all = ["list", ["a"], ["follow", "json"], {
    tail: "5",
    namespace: "n",
  }];
  assertEquals(read("list", "-f", "--json", "--tail", "5", "-n=n", "a"), all);
  assertEquals(read("list", "a", "-n", "n", "--follow", "--tail=5", "--json"), [
    "list",
    ["a"],
    ["follow", "json"],
    { namespace: "n", tail: "5" },
  ]);
  assertEquals(read("list", "--tail=a=b", "-t", "-1")[3], { tail: "-1" });
  assertEquals(read("list", "-")[1], ["-"]);
  assertEquals(read("list", "--", "--json"), ["list", ["--json"], [], {}]);
});

Deno.test("parse() takes everything from the rest operand on as it is", () => {
  const command = ["sh", "-c", "--json", "--", "-n"];
  const expected = ["run", ["a", ...command], ["tty"], {}];
  assertEquals(read("run", "--tty", "a", ...command), expected);
  assertEquals(read("run", "a", "--tty", ...command), expected);
  assertEquals(read("run", "--tty", "a", "--", ...command), expected);
  assertEquals(read("run", "a", "--", "-x", "--"), [
    "run",
    ["a", "-x", "--"],
    [],
    {},
  ]);
});

Deno.test.each([
  [[], "lcow needs a word: list, run; see `lcow --help`"],
  [["top"], 'no word "top", but list, run'],
  [["--json"], 'no word "--json"'],
  [["list", "-x"], 'list has no flag "-x"; see `lcow list --help`'],
  [["list", "--t", "5"], 'no flag "--t"'],
  [["list", "-tail", "5"], 'no flag "-tail"'],
  [["list", "--json=yes"], "Flag --json takes no value"],
  [["list", "-t"], "Flag --tail needs a value LINES"],
  [["list", "-n", ""], "Flag --namespace cannot be empty"],
  [["list", "a", "b"], 'Unexpected argument "b" after list'],
  [["list", ""], "ID cannot be empty"],
  [["list", "--=x"], 'no flag "--=x"'],
  [["run"], "run needs ID: where"],
  [["run", "a"], "run needs COMMAND: what"],
  [["run", "a", "--"], "run needs COMMAND: what"],
])("parse() refuses %o", (args: readonly string[], message: string) => {
  assertThrows(() => parse(args, table), UsageError, message);
});

function help(parsed: Parsed): string {
  return "help" in parsed ? parsed.help : "";
}

Deno.test("parse() answers the help from the declarations", () => {
  for (const args of [["--help"], ["-h"]]) {
    assertEquals(
      help(parse(args, table)),
      `Usage: containerd-shim-lcow-v2 lcow WORD [ARGUMENTS]

Words:
  list  does list
  run   does run

Flags of all words:
  -n, --namespace NS  only what is in this namespace of containerd
      --json          print JSON; errors, too
  -h, --help          print this help

\`containerd-shim-lcow-v2 lcow WORD --help\` says more about one.
`,
    );
  }
  assertEquals(
    help(parse(["run", "--help"], table)),
    `Usage: containerd-shim-lcow-v2 lcow run ID COMMAND... [FLAGS]

run: does run.

Arguments:
  ID       where
  COMMAND  what

Flags:
      --tty           a terminal
  -n, --namespace NS  only what is in this namespace of containerd
      --json          print JSON; errors, too
  -h, --help          print this help
`,
  );
  assertStringIncludes(help(parse(["list", "-h", "a", "b"], table)), "[ID]");
});

Deno.test("wantsJson() hears of --json in a wrong command line, but not behind --", () => {
  assertEquals(wantsJson(["top", "--json"]), true);
  assertEquals(wantsJson(["run", "a", "--", "--json"]), false);
});

Deno.test("every word of lcow is declared without contradictions", () => {
  const names = new Set<string>();
  for (const { name, operands, flags } of words) {
    assertEquals(names.has(name), false, name);
    names.add(name);
    const firstOptional = operands.findIndex(({ optional }) => optional);
    const behind = firstOptional < 0 ? [] : operands.slice(firstOptional);
    assertEquals(behind.every(({ optional }) => optional), true, name);
    assertEquals(operands.slice(0, -1).some(({ rest }) => rest), false, name);
    const taken = ["namespace", "json", "help", "n", "h"];
    for (const { name, short } of flags) {
      for (const text of short === undefined ? [name] : [name, short]) {
        assertEquals(taken.includes(text), false, text);
        taken.push(text);
      }
    }
    assertStringIncludes(help(parse([name, "--help"], words)), `${name}: `);
  }
});
