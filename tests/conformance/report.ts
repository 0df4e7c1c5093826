/**
 * Runs folders of recordings and says how it went.
 *
 * @module
 */

import { readSet, type RecordedSet, setNames } from "./recordings.ts";
import { type Begin, judgeCase, runners, type SetRun } from "./sets.ts";

/** How many cases went how. */
export interface Counts {
  /** Cases that agree. */
  readonly passed: number;
  /** Cases that differ, and files that cannot be read. */
  readonly failed: number;
}

/** One line of text, however many the text has. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ⏎ ");
}

/**
 * Runs a set.
 *
 * @param print Gets a line per case that fails, and one for the set.
 */
export async function runSet(
  { name, recordings }: RecordedSet,
  setRun: SetRun,
  print: (line: string) => void,
): Promise<Counts> {
  let [passed, failed, deviating] = [0, 0, 0];
  for (const { file, cases, error } of recordings) {
    if (error !== undefined) {
      failed++;
      print(`FAIL ${name}/${file}: ${oneLine(error)}`);
    }
    for (const recorded of cases) {
      if (setRun.concerns?.(recorded) === false) continue;
      const result = await judgeCase(name, recorded, setRun);
      if (result.difference === undefined) {
        passed++;
        if (result.deviations.length > 0) deviating++;
        continue;
      }
      failed++;
      const { path, text } = result.difference;
      print(
        `FAIL ${name}/${file} "${recorded.name}": ${path}: ${oneLine(text)}`,
      );
    }
  }
  const onPurpose = deviating > 0
    ? ` (${deviating} with a difference on purpose)`
    : "";
  const what = setRun.part === undefined ? name : `${name} (${setRun.part})`;
  print(`${what}: ${passed} passed, ${failed} failed${onPurpose}`);
  return { passed, failed };
}

/** Begins one run of a set, and ends it. */
async function runPart(
  dir: string,
  name: string,
  begin: Begin,
  print: (line: string) => void,
): Promise<Counts> {
  const setRun = await begin();
  if (typeof setRun === "string") {
    print(`skip: ${name}: ${setRun}`);
    return { passed: 0, failed: 0 };
  }
  try {
    return await runSet(await readSet(dir, name), setRun, print);
  } finally {
    await setRun.close?.();
  }
}

/**
 * Runs all sets of a folder.
 *
 * @param dir The folder.
 * @param print Gets the lines of the report, without the sum.
 * @returns Undefined when there is no such folder.
 */
export async function runFolder(
  dir: string,
  print: (line: string) => void,
): Promise<Counts | undefined> {
  const names = await setNames(dir);
  if (names === undefined) return undefined;
  let [passed, failed] = [0, 0];
  for (const name of names) {
    const begins = runners[name];
    if (begins === undefined) print(`${name}: nobody knows this set`);
    for (const begin of begins ?? []) {
      const counts = await runPart(dir, name, begin, print);
      passed += counts.passed;
      failed += counts.failed;
    }
  }
  return { passed, failed };
}
