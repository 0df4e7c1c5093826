/**
 * Runs every suite, one after another, and sums up. `deno task test` and CI
 * call exactly this; the last line is `N passed, N failed`.
 *
 * Usage: `tests/run.ts [SUITE ...]`; without names all suites run.
 *
 * @module
 */

import { unitCommand } from "./unit.ts";

const root = new URL("../", import.meta.url).pathname;

interface Command {
  /** Arguments of deno. */
  readonly args: readonly string[];
  /** True when the command is one check: it counts as one test. */
  readonly single?: string;
}

interface Suite {
  readonly name: string;
  /**
   * Seconds after which the suite is stopped and has failed: for what hangs, on a
   * machine of any load.
   */
  readonly limit: number;
  /** What it runs; may be worked out, with a folder for what has to be written. */
  readonly commands:
    | readonly Command[]
    | ((folder: string) => Promise<readonly Command[]>);
}

const rooms = [
  "base",
  "bin",
  "bridge",
  "codegen",
  "controllers",
  "ffi",
  "guest",
  "hcs",
  "image",
  "mod.ts",
  "oci",
  "shim",
  "sim",
  "tests/acceptance",
  "tests/conformance",
  "tests/docs",
  "tests/golden",
  "tests/lint",
  "tests/soak",
  "ttrpc",
];

/** Tests beside the code that play with chance, which `unit` takes away. */
const randomTests = [
  "base/codec_test.ts",
  "base/json_test.ts",
  "controllers/**/model_test.ts",
  "controllers/**/race_test.ts",
  "ffi/windows/system/command_line_test.ts",
  "ttrpc/api_test.ts",
];

const deno = (
  ...args: string[]
): string[] => ["test", "-A", ...args];

const suites: readonly Suite[] = [
  {
    name: "static",
    limit: 300,
    commands: [
      { single: "format", args: ["fmt", "--check", "--quiet"] },
      { single: "lint", args: ["lint", "--quiet"] },
      { single: "types", args: ["check", "--quiet", "."] },
      { single: "generated files", args: ["task", "--quiet", "codegen:check"] },
      { single: "documentation", args: ["task", "--quiet", "docs:lint"] },
    ],
  },
  {
    name: "unit",
    limit: 300,
    commands: async (folder) => [
      { args: await unitCommand(root, rooms, folder) },
    ],
  },
  {
    name: "conformance",
    limit: 900,
    commands: [{ args: ["run", "-A", "--no-check", "tests/conformance.ts"] }],
  },
  {
    name: "faults",
    limit: 300,
    commands: [{ args: deno("--no-check", "tests/faults") }],
  },
  {
    name: "memory",
    limit: 600,
    commands: [{
      args: deno(
        "--no-check",
        "--parallel",
        "--v8-flags=--expose-gc",
        "tests/memory",
      ),
    }],
  },
  {
    name: "kernel",
    limit: 600,
    commands: [{ args: deno("--no-check", "--parallel", "tests/kernel") }],
  },
  {
    name: "e2e",
    limit: 1200,
    commands: [{ args: deno("--no-check", "--parallel", "tests/e2e") }],
  },
  {
    name: "soak",
    limit: 600,
    // A minute of what `deno task soak` does for twenty, with the same choices in
    // every run.
    commands: [{
      args: [
        ...["run", "-A", "--no-check", "tests/soak/main.ts"],
        ...["--seconds", "60", "--seed", "1"],
      ],
    }],
  },
  {
    name: "vm",
    limit: 600,
    // Each file is a machine with one processor.
    commands: [{ args: deno("--no-check", "--parallel", "tests/vm") }],
  },
  {
    name: "windows",
    limit: 900,
    commands: [{ args: deno("--no-check", "tests/windows") }],
  },
  {
    name: "fuzz",
    limit: 600,
    commands: [{
      args: deno("--no-check", "--parallel", "tests/fuzz", ...randomTests),
    }],
  },
];

interface Result {
  passed: number;
  failed: number;
  skipped: number;
}

/** The last line of `deno test`. */
const summary =
  /(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?(?: \| (\d+) ignored)?/;

/** The last line of a program that counts by itself. */
const programSummary = /^(\d+) passed, (\d+) failed$/m;

/** A test that cannot run here prints this line, with the reason. */
const skipLine = /^skip: .*/gm;

async function run(
  { args, single }: Command,
  limit: number,
): Promise<Result & { output: string }> {
  const signal = AbortSignal.timeout(limit * 1000);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal,
  }).output();
  const decoder = new TextDecoder();
  let output = decoder.decode(stdout) + decoder.decode(stderr);
  if (signal.aborted) output += `\nStopped after ${limit} s\n`;
  if (single !== undefined) {
    return {
      passed: success ? 1 : 0,
      failed: success ? 0 : 1,
      skipped: 0,
      output,
    };
  }
  const [, passed = "0", failed = "0", ignored = "0"] = summary.exec(output) ??
    programSummary.exec(output) ?? [];
  // A run that dies without a summary, or fails outside a test, is a failure too.
  const lost = !success && Number(failed) === 0 ? 1 : 0;
  return {
    passed: Number(passed),
    failed: Number(failed) + lost,
    skipped: Number(ignored),
    output,
  };
}

/** The output without the tests that passed. */
function failures(output: string): string {
  return output.split("\n").filter((line) => !/ \.\.\. ok /.test(line))
    .join("\n").trim();
}

async function commandsOf(
  { commands }: Suite,
  folder: string,
): Promise<readonly Command[]> {
  return typeof commands === "function" ? await commands(folder) : commands;
}

async function runSuite(suite: Suite, folder: string): Promise<Result> {
  const started = performance.now();
  const total: Result = { passed: 0, failed: 0, skipped: 0 };
  const skips: string[] = [];
  for (const command of await commandsOf(suite, folder)) {
    const result = await run(command, suite.limit);
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
    skips.push(...result.output.match(skipLine) ?? []);
    if (result.failed > 0) {
      const what = command.single ?? suite.name;
      console.log(`--- ${what} failed ---\n${failures(result.output)}\n---`);
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const { passed, failed, skipped } = total;
  console.log(
    `${suite.name}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s`,
  );
  for (const line of skips) console.log(`  ${line}`);
  return total;
}

if (import.meta.main) {
  const names = Deno.args;
  const unknown = names.filter((name) =>
    !suites.some((suite) => suite.name === name)
  );
  if (unknown.length > 0) {
    console.error(
      `Unknown suite "${unknown[0]}"; there are ${
        suites.map(({ name }) => name).join(", ")
      }`,
    );
    Deno.exit(2);
  }
  const sum: Result = { passed: 0, failed: 0, skipped: 0 };
  for (const suite of suites) {
    if (names.length > 0 && !names.includes(suite.name)) continue;
    const folder = await Deno.makeTempDir({ prefix: "lcow-tests-" });
    const result = await runSuite(suite, folder);
    await Deno.remove(folder, { recursive: true });
    sum.passed += result.passed;
    sum.failed += result.failed;
  }
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
  Deno.exit(sum.failed > 0 || sum.passed === 0 ? 1 : 0);
}
