/**
 * Prints which behaviours of the acceptance lists the tests name, per section,
 * and which are missing. Fails when a test names an id that no list has.
 *
 * The lists are `spec/*-acceptance.md` below `LCOW_SHARED`, else below `../shared`
 * beside the checkout; without them nothing can be said, which is no failure.
 *
 * @module
 */

import { coverageOf, reportLines } from "./acceptance/coverage.ts";
import { type ListName, parseList, type Section } from "./acceptance/lists.ts";
import { type Claim, claimsOf } from "./acceptance/test_names.ts";

const root = new URL("../", import.meta.url).pathname;

/** Folders without tests of the project. */
const otherFolders = new Set([".cache", ".git", "dist", "node_modules"]);

/** The tests of this tool speak of ids that no list has. */
const ownTests = "tests/acceptance";

async function* testFiles(folder: string): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(root + folder)) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (isDirectory) {
      if (!otherFolders.has(name) && path !== ownTests) yield* testFiles(path);
    } else if (name.endsWith("_test.ts")) yield path;
  }
}

/** The lists, or undefined where there are none. */
async function readLists(): Promise<Section[] | undefined> {
  const shared = Deno.env.get("LCOW_SHARED") ?? `${root}../shared`;
  const sections: Section[] = [];
  for (const list of ["host", "guest"] satisfies ListName[]) {
    const path = `${shared}/spec/${list}-acceptance.md`;
    try {
      sections.push(...parseList(list, await Deno.readTextFile(path)));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      console.log(`skip: there is no ${path} (LCOW_SHARED names its folder)`);
      return undefined;
    }
  }
  return sections;
}

async function main(): Promise<number> {
  const sections = await readLists();
  if (sections === undefined) return 0;
  const claims: Claim[] = [];
  const errors: string[] = [];
  for (const file of (await Array.fromAsync(testFiles(""))).sort()) {
    const found = claimsOf(file, await Deno.readTextFile(root + file));
    claims.push(...found.claims);
    errors.push(...found.errors);
  }
  const coverage = coverageOf(sections, claims);
  for (const line of reportLines(coverage)) console.log(line);
  errors.push(...coverage.errors);
  for (const error of errors) console.error(`error: ${error}`);
  return errors.length > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
