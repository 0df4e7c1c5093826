/**
 * Runs recorded data of an independent implementation against ours, then our
 * shim beside Debian's against the suite `tests/conformance/shim`.
 *
 * Usage: `tests/conformance.ts [DIR]`, where DIR holds `<set>/*.json`; default is
 * `golden` below `LCOW_SHARED`, else below `../shared` beside the checkout. With
 * DIR only its recordings run. One line per recorded case that fails, one per
 * set, one per case of the suite; the last line is `N passed, N failed`.
 *
 * @module
 */

import { defaultFolder } from "./conformance/recordings.ts";
import { runFolder } from "./conformance/report.ts";
import { conform } from "./conformance/shim/suite.ts";
import { control, ours } from "./conformance/shim/target.ts";

/** A path as the caller means it: a task runs in the project's folder. */
function fromCaller(path: string): string {
  const base = Deno.env.get("INIT_CWD") ?? Deno.cwd();
  return path.startsWith("/") ? path : `${base}/${path}`;
}

async function main(): Promise<number> {
  const [named, ...rest] = Deno.args;
  if (rest.length > 0) {
    console.error("Usage: conformance [DIR]");
    return 2;
  }
  const dir = named === undefined ? defaultFolder() : fromCaller(named);
  const counts = await runFolder(dir, console.log);
  let { passed, failed } = counts ?? { passed: 0, failed: 0 };
  if (passed + failed === 0) {
    if (named !== undefined) {
      console.error(`There are no recordings that can be run in ${dir}`);
      return 2;
    }
    console.log(
      `skip: conformance: there are no recordings in ${dir} (LCOW_SHARED names their folder)`,
    );
  }
  if (named === undefined) {
    const options = { target: ours, control, wanted: () => true };
    const suite = await conform(options, console.log);
    passed += suite.passed;
    failed += suite.failed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
