/**
 * The documents of the repository, as the tests that hold them to the code read
 * them.
 *
 * @module
 */

const root = new URL("../../", import.meta.url);

/** A fenced block of a document. */
export interface Block {
  /** Path of its document below the repository's root. */
  readonly document: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** The word behind the fence, for example `sh`. */
  readonly language: string;
  /** Why the tests do not run it: the comment `<!-- not run: WHY -->` before it. */
  readonly notRun?: string;
  /** Its lines. */
  readonly text: string;
}

async function documentsIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, root))
  ) {
    const path = `${folder}${name}`;
    if (isDirectory) found.push(...await documentsIn(`${path}/`));
    else if (name.endsWith(".md")) found.push(path);
  }
  return found;
}

/** Paths of all documents below the repository's root, in order. */
export async function documents(): Promise<string[]> {
  return ["README.md", ...(await documentsIn("docs/")).sort()];
}

/** The text of a document or another file of the repository. */
export function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, root));
}

/**
 * The fenced blocks of a text.
 *
 * @param document What its blocks are called.
 */
export function blocksOf(document: string, text: string): Block[] {
  const blocks: Block[] = [];
  let open: Omit<Block, "text"> | undefined;
  let body: string[] = [];
  let notRun: string | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^```(.*)$/.exec(line)?.[1];
    if (open === undefined) {
      const why = /^<!-- not run: (.*) -->$/.exec(line)?.[1];
      if (why !== undefined) notRun = why;
      else if (fence !== undefined) {
        const start = { document, line: index + 1, language: fence };
        open = notRun === undefined ? start : { ...start, notRun };
        body = [];
      } else if (line.trim() !== "") notRun = undefined;
    } else if (fence === undefined) body.push(line);
    else {
      blocks.push({ ...open, text: body.join("\n") });
      open = undefined;
      notRun = undefined;
    }
  }
  return blocks;
}

/** Code spans of a text outside of fenced blocks, without their backticks. */
export function codeSpans(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span);
}

/**
 * The rows of the tables below a heading, as cells, without head and rule.
 *
 * @param heading The whole line, for example `## Environment`.
 */
export function tableRows(text: string, heading: string): string[][] {
  const lines = text.split("\n");
  const rows: string[][] = [];
  let inside = false;
  let skipped = 0;
  for (const line of lines) {
    if (/^#+ /.test(line)) inside = line === heading;
    if (!inside || !line.startsWith("|")) {
      skipped = 0;
      continue;
    }
    // Head and rule of each table.
    if (skipped++ < 2) continue;
    rows.push(line.slice(1, -1).split("|").map((cell) => cell.trim()));
  }
  return rows;
}
