/**
 * Plays containerd's part to a shim and says which of its behaviours are as
 * expected, beside what Debian's `containerd-shim-runc-v2` does.
 *
 * Usage: `deno task conformance:shim` or `deno run -A tests/conformance/shim/main.ts [--shim PATH [--describe FILE]]
 * [--no-control] [--case TEXT] [--markdown FILE]`
 *
 * Without `--shim` it is the shim of this checkout. FILE describes another one,
 * see {@linkcode describeTarget}. TEXT is a part of the names of the cases that
 * run. The last line is `N passed, N failed`, of the shim under test alone.
 *
 * @module
 */

import { markdownTable } from "./report.ts";
import { conform, groups } from "./suite.ts";
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
  const part = option("--case") ?? "";
  const options = {
    target: await targetOf(),
    control: Deno.args.includes("--no-control") ? undefined : control,
    wanted: (name: string) => name.includes(part),
  };
  const { passed, failed, columns } = await conform(options, console.log);
  const markdown = option("--markdown");
  if (markdown !== undefined) {
    await Deno.writeTextFile(markdown, markdownTable(groups, columns));
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
