/**
 * The lists of behaviours that tests must assert: sections of rows, each with an
 * id that is unique in its list.
 *
 * @module
 */

/** Which list an id belongs to; its prefix in the names of tests. */
export type ListName = "host" | "guest";

/** One behaviour. */
export interface Behaviour {
  /** With the name of its list, for example `host:B1`. */
  readonly id: string;
  /** What is asserted, in the list's own words. */
  readonly text: string;
}

/** Behaviours that belong together. */
export interface Section {
  /** For example `host B. Sandbox service`. */
  readonly title: string;
  /** Its rows, in their order. */
  readonly behaviours: readonly Behaviour[];
}

const heading = /^## +(.+)$/;

/** `- B1 text`, as the host's list writes it. */
const item = /^- +([A-Z]\d+) +(.+)$/;

/** `| B1 | text | … |`, as the guest's list writes it. */
const row = /^\| *([A-Z]\d+) *\|(.+)\|\s*$/;

/** A line that goes on with the item before it. */
const continuation = /^ {2,}(\S.*)$/;

function rowText(cells: string): string {
  return cells.split("|").map((cell) => cell.trim()).join(" | ");
}

/**
 * Reads a list.
 *
 * @param list Its name.
 * @param text Markdown: `##` begins a section, items or table rows begin with an
 * id.
 * @returns Its sections that have rows.
 * @throws {Error} when an id occurs twice.
 */
export function parseList(list: ListName, text: string): Section[] {
  const sections: { title: string; behaviours: Behaviour[] }[] = [];
  const seen = new Set<string>();
  const add = (name: string, text: string): void => {
    const id = `${list}:${name}`;
    if (seen.has(id)) throw new Error(`${id} occurs twice in the list`);
    seen.add(id);
    if (sections.length === 0) sections.push({ title: list, behaviours: [] });
    sections.at(-1)?.behaviours.push({ id, text });
  };
  let isItem = false;
  for (const line of text.split(/\r?\n/)) {
    const [, title] = heading.exec(line) ?? [];
    const [, name, itemText] = item.exec(line) ?? [];
    const [, rowName, cells] = row.exec(line) ?? [];
    const [, more] = continuation.exec(line) ?? [];
    if (title !== undefined) {
      sections.push({ title: `${list} ${title}`, behaviours: [] });
    } else if (name !== undefined && itemText !== undefined) {
      add(name, itemText);
    } else if (rowName !== undefined && cells !== undefined) {
      add(rowName, rowText(cells));
    } else if (isItem && more !== undefined) {
      const behaviours = sections.at(-1)?.behaviours;
      const last = behaviours?.pop();
      if (last) behaviours?.push({ ...last, text: `${last.text} ${more}` });
    }
    isItem = name !== undefined || (isItem && more !== undefined);
  }
  return sections.filter(({ behaviours }) => behaviours.length > 0);
}
