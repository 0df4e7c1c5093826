/**
 * Compares the lists of behaviours with what tests claim, and says it to people.
 *
 * @module
 */

import type { Behaviour, Section } from "./lists.ts";
import type { Claim } from "./test_names.ts";

/** Why behaviours of live migration need no test yet. */
export const exceptionReason =
  "about migration, save or import: live migration comes later";

/**
 * Words of the behaviours that {@linkcode exceptionReason} is about. A save exports
 * attachments, the source of a migration only drains its exit watchers, and its
 * destination registers waits before, and resumes, on a new connection.
 */
const migration =
  /\bmigrat|\bLM\b|\bsav(e|es|ed|ing)\b|\bimport(s|ed|ing)?\b|\bpatch|\bround-trip|\bhost path (update|can be changed)|\battachment export\b|\bdrain-only\b|\bpre-register|\bresume on new connection\b/i;

/** Sections of controllers, whose patches and resumes are those of a migration. */
const controllers = /^host [E-L]\. /;

/** What one section has. */
export interface SectionCoverage {
  /** Its title. */
  readonly title: string;
  /** All its behaviours. */
  readonly total: number;
  /** Those that a test names. */
  readonly covered: readonly string[];
  /** Those that need no test yet. */
  readonly excepted: readonly string[];
  /** The rest. */
  readonly missing: readonly string[];
}

/** What all sections have. */
export interface Coverage {
  /** In the order of the lists. */
  readonly sections: readonly SectionCoverage[];
  /** Claims of ids that no list has, for people, one line each. */
  readonly errors: readonly string[];
}

/** True for a behaviour that nobody can have before live migration. */
export function isExcepted(title: string, { text }: Behaviour): boolean {
  if (migration.test(title) || migration.test(text)) return true;
  return controllers.test(title) && /^Resume\b/.test(text);
}

/**
 * Compares lists with claims.
 *
 * @param sections All sections of all lists.
 * @param claims What the names of tests say.
 */
export function coverageOf(
  sections: readonly Section[],
  claims: readonly Claim[],
): Coverage {
  const claimed = new Set(claims.map(({ id }) => id));
  const known = new Set(
    sections.flatMap(({ behaviours }) => behaviours.map(({ id }) => id)),
  );
  return {
    sections: sections.map(({ title, behaviours }) => {
      const open = behaviours.filter(({ id }) => !claimed.has(id));
      const names = (rows: readonly Behaviour[]) => rows.map(({ id }) => id);
      return {
        title,
        total: behaviours.length,
        covered: names(behaviours.filter(({ id }) => claimed.has(id))),
        excepted: names(open.filter((row) => isExcepted(title, row))),
        missing: names(open.filter((row) => !isExcepted(title, row))),
      };
    }),
    errors: claims.filter(({ id }) => !known.has(id)).map(
      ({ id, file, line }) => `${file}:${line}: no list has ${id}`,
    ),
  };
}

/** Ids without the name of their list, which the title gives. */
function shortly(ids: readonly string[]): string {
  return ids.map((id) => id.slice(id.indexOf(":") + 1)).join(" ");
}

function sum(
  sections: readonly SectionCoverage[],
  what: (section: SectionCoverage) => number,
): number {
  return sections.reduce((total, section) => total + what(section), 0);
}

function totals(name: string, sections: readonly SectionCoverage[]): string {
  const covered = sum(sections, (section) => section.covered.length);
  const total = sum(sections, (section) => section.total);
  const missing = sum(sections, (section) => section.missing.length);
  const excepted = sum(sections, (section) => section.excepted.length);
  return `${name}: ${covered} / ${total} covered, ${missing} missing, ${excepted} excepted`;
}

/** The report: a section per line with what is missing below it, sums at the end. */
export function reportLines({ sections }: Coverage): string[] {
  const lines: string[] = [];
  for (const { title, total, covered, missing, excepted } of sections) {
    lines.push(`${title}: ${covered.length} / ${total}`);
    if (missing.length > 0) lines.push(`  missing: ${shortly(missing)}`);
    if (excepted.length > 0) lines.push(`  excepted: ${shortly(excepted)}`);
  }
  const isHost = ({ title }: SectionCoverage) => title.startsWith("host ");
  const host = sections.filter(isHost);
  const guest = sections.filter((section) => !isHost(section));
  return [
    ...lines,
    `excepted means: ${exceptionReason}`,
    totals("host", host),
    totals("guest", guest),
    totals("total", sections),
  ];
}
