import { assertEquals, assertThrows } from "@std/assert";
import { splitCommandLine } from "./shell_words.ts";

Deno.test("splitCommandLine() splits as a shell does, without expansion", () => {
  const rows: [string, string[]][] = [
    ["", []],
    ["  a   b\tc ", ["a", "b", "c"]],
    [`a "b c" 'd "e'`, ["a", "b c", 'd "e']],
    ['a\\ b \'c\\d\' "e\\"f"', ["a b", "c\\d", 'e"f']],
    ["a '' b", ["a", "", "b"]],
    ["echo $HOME `x`", ["echo", "$HOME", "`x`"]],
    ["a b; c", ["a", "b"]],
    ["a|b", ["a"]],
    ["a > f", ["a"]],
  ];
  for (const [line, words] of rows) assertEquals(splitCommandLine(line), words);
});

Deno.test("splitCommandLine() refuses quotes and parentheses that do not close", () => {
  for (const line of ["'a", 'b "c', "(a", "a)"]) {
    assertThrows(() => splitCommandLine(line), Error, "do not close");
  }
});
