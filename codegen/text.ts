/**
 * Pieces of generated text.
 *
 * @module
 */

/** Longest line of a generated comment. */
const lineLimit = 76;

function wrap(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > lineLimit) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

/** The text of a doc comment, without the comment marks, in lines of equal length. */
export function docs(text: string): string {
  return wrap(text.replaceAll("*/", "*\\/"));
}

/** First lines of every generated file. */
export function banner(source: string, about: string): string {
  const text = wrap(
    `${about} Generated from \`${source}\` by \`deno task codegen\`; do not edit.`,
  );
  const lines = text.split("\n").map((line) => ` * ${line}`);
  return ["/**", ...lines, " *", " * @module", " */", "", ""].join("\n");
}
