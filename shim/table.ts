/**
 * Tables for people.
 *
 * @module
 */

/** One line, whatever the message of an error was. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}

/**
 * Lines with columns two spaces apart.
 *
 * @param rows The cells; all rows have as many as the first.
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(oneLine));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0))
  );
  return cells.map((row) =>
    `${
      row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")
        .trimEnd()
    }\n`
  ).join("");
}
