/**
 * Plays containerd's part to a shim and says which of its behaviours are as
 * expected, beside what Debian's `containerd-shim-runc-v2` does.
 *
 * Usage: `deno run -A tests/conformance/shim/main.ts [--shim PATH [--describe FILE]]
 * [--no-control] [--case TEXT] [--markdown FILE]`
 *
 * Without `--shim` it is the shim of this checkout. FILE describes another one,
 * see {@linkcode describeTarget}. TEXT is a part of the names of the cases that
 * run. The last line is `N passed, N failed`, of the shim under test alone.
 *
 * @module
 */

import { markdownTable, tally, tallyText, textTable } from "./report.ts";
import { groups, runSuite, unable } from "./suite.ts";
import { control, describeTarget, ours, type Target } from "./target.ts";

function option(name: string): string | undefined {
  const at = Deno.args.indexOf(name);
  return at < 0 ? undefined : Deno.args[at + 1];
}

async function targetOf(): Promise<Target> {
  const path = option("--shim") ?? Deno.env.get("LCOW_CONFORMANCE_SHIM");
  if (path === undefined) return ours;
  const file = option("--describe");
  const text = file === undefined ? undefined : await Deno.readTextFile(file);
  return describeTarget(path, text);
}

async function main(): Promise<number> {
  const reason = await unable();
  if (reason !== undefined) {
    console.log(`skip: shim: ${reason}`);
    console.log("0 passed, 0 failed");
    return 0;
  }
  const part = option("--case") ?? "";
  const columns = await runSuite({
    target: await targetOf(),
    control: Deno.args.includes("--no-control") ? undefined : control,
    wanted: (name) => name.includes(part),
  });
  for (const line of textTable(groups, columns)) console.log(line);
  const markdown = option("--markdown");
  if (markdown !== undefined) {
    await Deno.writeTextFile(markdown, markdownTable(groups, columns));
  }
  for (const { name, outcomes } of columns) {
    console.log(
      `${name}: ${
        typeof outcomes === "string" ? outcomes : tallyText(tally(outcomes))
      }`,
    );
  }
  const [{ outcomes } = { outcomes: "it was not run" }] = columns;
  if (typeof outcomes === "string") {
    console.log("0 passed, 1 failed");
    return 1;
  }
  const { pass, fail } = tally(outcomes);
  console.log(`${pass} passed, ${fail} failed`);
  return fail > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
