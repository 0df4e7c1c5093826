/**
 * The table of all cases: a line per case, a column per shim.
 *
 * @module
 */

import type { CaseGroup } from "./case.ts";
import { cleanCase, type Outcome } from "./runner.ts";

/** One shim's outcomes. */
export interface Column {
  /** Its name. */
  readonly name: string;
  /** Outcomes by case; or why there are none. */
  readonly outcomes: ReadonlyMap<string, Outcome> | string;
}

/** How many outcomes were of each kind. */
export type Tally = Record<Outcome["verdict"], number>;

/** Counts a column. */
export function tally(outcomes: ReadonlyMap<string, Outcome>): Tally {
  const counts: Tally = { pass: 0, fail: 0, differs: 0, "n/a": 0 };
  for (const { verdict } of outcomes.values()) counts[verdict]++;
  return counts;
}

/** `71 pass, 1 fail, 2 differs, 9 n/a`. */
export function tallyText(counts: Tally): string {
  return Object.entries(counts)
    .map(([verdict, count]) => `${count} ${verdict}`).join(", ");
}

/** The groups, with the case that comes last. */
function rows(
  groups: readonly CaseGroup[],
): { group: string; names: readonly string[] }[] {
  return [
    ...groups.map(({ name, cases }) => ({
      group: name,
      names: cases.map((each) => each.name),
    })),
    { group: "Afterwards", names: [cleanCase] },
  ];
}

function outcomeOf({ outcomes }: Column, name: string): Outcome | undefined {
  return typeof outcomes === "string" ? undefined : outcomes.get(name);
}

/** What stands behind a line: why a shim did not pass. */
function reasons(columns: readonly Column[], name: string): string[] {
  return columns.flatMap((column) => {
    const outcome = outcomeOf(column, name);
    return outcome === undefined || outcome.why === ""
      ? []
      : [`${column.name}: ${outcome.why}`];
  });
}

/** The lines of the table for a terminal. */
export function textTable(
  groups: readonly CaseGroup[],
  columns: readonly Column[],
): string[] {
  const widths = columns.map(({ name }) => name.length);
  const cells = (texts: readonly string[]): string =>
    texts.map((text, at) => text.padEnd(widths[at] ?? 0)).join("  ");
  const lines = [cells(columns.map(({ name }) => name))];
  for (const { group, names } of rows(groups)) {
    const shown = names.filter((name) =>
      columns.some((column) => outcomeOf(column, name) !== undefined)
    );
    if (shown.length > 0) lines.push(`${group}:`);
    for (const name of shown) {
      const verdicts = columns.map((column) =>
        outcomeOf(column, name)?.verdict ?? "-"
      );
      lines.push(`${cells(verdicts)}  ${name}`);
      lines.push(...reasons(columns, name).map((why) => `  ${why}`));
    }
  }
  return lines;
}

/** The table as Markdown. */
export function markdownTable(
  groups: readonly CaseGroup[],
  columns: readonly Column[],
): string {
  const lines: string[] = [];
  const row = (cells: readonly string[]): void => {
    lines.push(
      `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
    );
  };
  for (const { group, names } of rows(groups)) {
    lines.push(`## ${group}`, "");
    row(["Behaviour", ...columns.map(({ name }) => `\`${name}\``), "Remarks"]);
    row(["---", ...columns.map(() => "---"), "---"]);
    for (const name of names) {
      const verdicts = columns.map((column) =>
        outcomeOf(column, name)?.verdict ?? "–"
      );
      row([name, ...verdicts, reasons(columns, name).join("; ")]);
    }
    lines.push("");
  }
  return lines.join("\n");
}
