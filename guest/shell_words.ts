/**
 * Command lines as shells split them, without any expansion
 * (`spec/guest-protocol.md` 5.6).
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

/** Unquoted, these end the command. */
const ends = ";&|<>";

/**
 * Splits a command line at blanks. Quotes group, a backslash takes the next
 * character as it is; `;`, `&`, `|`, `<` and `>` end the line.
 *
 * @throws {ShimError} InvalidArgument for quotes or parentheses that do not
 * close.
 */
export function splitCommandLine(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  let depth = 0;
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (char === "\\" && quote !== "'" && i + 1 < line.length) {
      word = (word ?? "") + line[++i];
    } else if (quote !== "") {
      if (char === quote) quote = "";
      else word = (word ?? "") + char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (ends.includes(char)) {
      break;
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      if (char === "(") depth++;
      if (char === ")") depth--;
      word = (word ?? "") + char;
    }
  }
  if (quote !== "" || depth !== 0) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot split command line "${line}": quotes or parentheses do not close`,
    );
  }
  if (word !== undefined) words.push(word);
  return words;
}
