import { assertEquals } from "@std/assert";
import { blocksOf, codeSpans, tableRows } from "./markdown.ts";

Deno.test("a fenced block has its language, its line and why it is not run", () => {
  const text = [
    "Text",
    "```sh",
    "one",
    "two",
    "```",
    "",
    "<!-- not run: it takes hours -->",
    "",
    "```powershell",
    "three",
    "```",
    "```",
    "four",
    "```",
  ].join("\n");
  assertEquals(blocksOf("a.md", text), [
    { document: "a.md", line: 2, language: "sh", text: "one\ntwo" },
    {
      document: "a.md",
      line: 9,
      language: "powershell",
      notRun: "it takes hours",
      text: "three",
    },
    { document: "a.md", line: 12, language: "", text: "four" },
  ]);
});

Deno.test("a reason counts for the next block only", () => {
  const text = "<!-- not run: so -->\nText\n```sh\none\n```";
  assertEquals(blocksOf("a.md", text).map(({ notRun }) => notRun), [undefined]);
});

Deno.test("code spans are those of the prose", () => {
  assertEquals(codeSpans("a `b` c\n```sh\n`d`\n```\n`e f`"), ["b", "e f"]);
});

Deno.test("rows of a table are those below its heading", () => {
  const text = [
    "## A",
    "| h |",
    "| - |",
    "| `x` | y |",
    "## B",
    "| h |",
    "| - |",
    "| z |",
  ].join("\n");
  assertEquals(tableRows(text, "## A"), [["`x`", "y"]]);
});
