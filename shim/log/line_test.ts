import { assertEquals } from "@std/assert";
import { humanLine, HumanPrinter, parseLine, passes } from "./line.ts";

function line(fields: Record<string, unknown>, time = "12:00:01.123"): string {
  return JSON.stringify({
    time: `2026-03-01T${time}Z`,
    level: "warn",
    msg: "Something",
    namespace: "k8s.io",
    shim: "pod1",
    "sandbox-id": "pod1",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
    ...fields,
  });
}

const golden: [what: string, text: string, human: string][] = [
  [
    "of the shim",
    line({ cid: "web", count: 3, error: "no such file" }),
    '12:00:01.123 WARN  shim  Something cid=web count=3 error="no such file"\n',
  ],
  [
    "of the guest",
    line({ level: "info", source: "guest", "uvm-id": "pod1@vm", pid: 7 }),
    "12:00:01.123 INFO  guest Something pid=7\n",
  ],
  [
    "with values of all kinds",
    line({ a: "", b: "x=y", c: { d: [1, null] }, e: true, f: 'a"b' }),
    '12:00:01.123 WARN  shim  Something a="" b="x=y" c={"d":[1,null]} e=true f="a\\"b"\n',
  ],
  [
    "with a text of several lines",
    line({ stderr: "panic: no\n\tat main\n", pid: 7 }),
    "12:00:01.123 WARN  shim  Something pid=7\n" +
    "    stderr:\n      panic: no\n        at main\n",
  ],
  [
    "with a message of several lines",
    line({ msg: "one\ntwo\n", pid: 7 }),
    "12:00:01.123 WARN  shim  one pid=7\n    message:\n      two\n",
  ],
  [
    "with what a terminal would obey",
    line({
      msg: "\u001b[2Ja\u009bb\u202ec",
      "k\u001b": "\u0007",
      t: "a\n\u001bb",
    }),
    "12:00:01.123 WARN  shim  \\u001b[2Ja\\u009bb\\u202ec k\\u001b=\\u0007\n" +
    "    t:\n      a\n      \\u001bb\n",
  ],
  [
    "that is torn",
    '{"time":"2026-03-01T12:00:01.123Z","lev',
    `             ERROR shim  Unreadable line text="{\\"time\\":\\"2026-03-01T12:00:01.123Z\\",\\"lev"\n`,
  ],
];
for (const [what, text, human] of golden) {
  Deno.test(`a line ${what} as people see it`, () => {
    assertEquals(humanLine(parseLine(text)), human);
  });
}

Deno.test("the day stands where a new one begins", () => {
  const printer = new HumanPrinter();
  const text = (time: string): string =>
    printer.print(parseLine(JSON.stringify({ time, level: "info", msg: "m" })));
  assertEquals(
    text("2026-03-01T23:59:59.999Z") + printer.print(parseLine("{")) +
      text("2026-03-01T23:59:59.999Z") + text("2026-03-02T00:00:00.000Z"),
    "2026-03-01 (UTC)\n23:59:59.999 INFO  shim  m\n" +
      '             ERROR shim  Unreadable line text="{"\n'.replace(
        '"{"',
        "{",
      ) +
      "23:59:59.999 INFO  shim  m\n2026-03-02 (UTC)\n00:00:00.000 INFO  shim  m\n",
  );
});

Deno.test("lines are chosen by level, time and container", () => {
  const parsed = parseLine(line({ container: "web" }));
  const at = Date.parse("2026-03-01T12:00:01.123Z");
  const chosen: [filter: Parameters<typeof passes>[1], expected: boolean][] = [
    [{}, true],
    [{ level: "warn" }, true],
    [{ level: "error" }, false],
    [{ level: "trace" }, true],
    [{ since: at }, true],
    [{ since: at + 1 }, false],
    [{ about: "web" }, true],
    [{ about: "db" }, false],
    [{ about: "web", level: "error" }, false],
  ];
  for (const [filter, expected] of chosen) {
    assertEquals(passes(parsed, filter), expected, JSON.stringify(filter));
  }
  for (const field of ["cid", "containerID"]) {
    const foreign = parseLine(line({ [field]: "web" }));
    assertEquals(passes(foreign, { about: "web" }), true);
  }
  // Who looks for errors wants to see what cannot be read.
  assertEquals(passes(parseLine("torn"), { since: at, level: "error" }), true);
});

Deno.test("a line that cannot be read is JSON nevertheless", () => {
  for (const text of ["torn", "[]", "null", '{"level":"info"}', '{"msg":7}']) {
    const { text: json } = parseLine(text);
    assertEquals(JSON.parse(json), {
      level: "error",
      msg: "Unreadable line",
      text,
    });
  }
});
