/**
 * The command line and environment of a new process, as Windows wants them.
 *
 * @module
 */

import { encodeUtf16 } from "../library/utf16.ts";

/**
 * Quotes one argument so that `CommandLineToArgvW` and C programs read it back:
 * backslashes count only before a quote.
 */
function quoted(argument: string): string {
  if (argument !== "" && !/[\s"]/.test(argument)) return argument;
  const escaped = argument.replace(/(\\*)"/g, '$1$1\\"')
    .replace(/(\\+)$/, "$1$1");
  return `"${escaped}"`;
}

/**
 * One command line of a program and its arguments.
 *
 * @example Quotes and trailing backslashes
 * ```ts
 * import { commandLine } from "./command_line.ts";
 * console.assert(
 *   commandLine(["C:\\a b\\x.exe", "C:\\b\\", 'say "hi"']) ===
 *     '"C:\\a b\\x.exe" C:\\b\\ "say \\"hi\\""',
 * );
 * ```
 */
export function commandLine(args: readonly string[]): string {
  return args.map(quoted).join(" ");
}

/**
 * An environment block: `NAME=value` texts, each with its NUL, and one more NUL.
 * Of names that differ only by case the last one counts, as for Windows they are
 * one variable.
 *
 * @throws {ShimError} InvalidArgument for a NUL in a value.
 */
export function environmentBlock(
  variables: Readonly<Record<string, string>>,
): Uint16Array<ArrayBuffer> {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(variables)) {
    texts.set(name.toUpperCase(), `${name}=${value}`);
  }
  // Windows looks variables up in a list that is sorted without regard to case.
  const rows = [...texts].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([, text]) => encodeUtf16(text));
  const size = rows.reduce((sum, row) => sum + row.length, 1);
  // One without variables ends with two NULs, too.
  const block = new Uint16Array(Math.max(size, 2));
  let at = 0;
  for (const row of rows) {
    block.set(row, at);
    at += row.length;
  }
  return block;
}
