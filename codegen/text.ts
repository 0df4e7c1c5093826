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
  for (const word of text.match(/\{@\w+ [^}]+\}\S*|\S+/g) ?? []) {
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

/**
 * First lines of every generated file.
 *
 * @param sources Files or folders that it is generated from.
 * @param about What the module is.
 */
export function banner(sources: readonly string[], about: string): string {
  const from = sources.map((source) => `\`${source}\``).join(", ");
  const text = wrap(
    `${about} Generated from ${from} by \`deno task codegen\`; do not edit.`,
  );
  const lines = text.split("\n").map((line) => ` * ${line}`);
  return ["/**", ...lines, " *", " * @module", " */", "", ""].join("\n");
}

/** Puts an empty line between declarations. */
export function spaced(text: string): string {
  return text.replace(/^(.*;|\})\n(?=\/\*\*)/gm, "$1\n\n");
}
