/**
 * The cases, and how they are run with our shim and its control.
 *
 * @module
 */

import { classify, messageOf } from "../../../base/errors.ts";
import { toolEnv } from "../../debian.ts";
import { buildRootfs } from "../../image.ts";
import { canRun } from "../../kernel/guest_fixture.ts";
import { install } from "../../../bin/install.ts";
import type { CaseGroup } from "./case.ts";
import { commandLine } from "./cases/command_line.ts";
import { exec } from "./cases/exec.ts";
import { life } from "./cases/life.ts";
import { protocol } from "./cases/protocol.ts";
import { resources } from "./cases/resources.ts";
import { sandbox } from "./cases/sandbox.ts";
import { streams } from "./cases/streams.ts";
import { task } from "./cases/task.ts";
import { told } from "./cases/told.ts";
import type { Counts } from "../report.ts";
import { type Column, tally, tallyText, textTable } from "./report.ts";
import { type Outcome, runTarget } from "./runner.ts";
import type { Target } from "./target.ts";

/** All cases. */
export const groups: readonly CaseGroup[] = [
  ...[
    commandLine,
    life,
    sandbox,
    task,
    told,
    exec,
    streams,
    resources,
    protocol,
  ],
];

/** The shims that are to be run. */
export interface SuiteOptions {
  /** The shim under test. */
  readonly target: Target;
  /** The shim that shows what others do; undefined for none. */
  readonly control: Target | undefined;
  /** Which cases run. */
  readonly wanted: (name: string) => boolean;
}

/** Why the suite cannot be run here; undefined when it can. */
async function unable(): Promise<string | undefined> {
  if (await canRun()) return undefined;
  return "it needs root and control groups of version 1";
}

/** Where a program is; undefined when it is nowhere. */
async function locate(
  program: string,
  path: string,
): Promise<string | undefined> {
  const dirs = program.includes("/") ? [""] : path.split(":");
  for (const dir of dirs) {
    const file = dir === "" ? program : `${dir}/${program}`;
    if (await isFile(file)) return file;
  }
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (classify(error) === "NotFound") return false;
    throw error;
  }
}

/**
 * Runs all cases with the shim under test, then with the control.
 *
 * @returns A column for each.
 */
async function runSuite(
  { target, control, wanted }: SuiteOptions,
): Promise<Column[]> {
  const tools = await toolEnv();
  await install();
  const rootfs = await buildRootfs(tools);
  const columns: Column[] = [];
  for (const shim of [target, ...(control === undefined ? [] : [control])]) {
    columns.push({
      name: shim.name,
      outcomes: await outcomesOf(shim, tools, rootfs, wanted),
    });
  }
  return columns;
}

/**
 * Runs the suite and says how it went.
 *
 * @param print Gets the lines of the report, without the sum.
 * @returns How many cases of the shim under test went how, and the columns.
 */
export async function conform(
  options: SuiteOptions,
  print: (line: string) => void,
): Promise<Counts & { readonly columns: readonly Column[] }> {
  const reason = await unable();
  if (reason !== undefined) {
    print(`skip: shim: ${reason}`);
    return { passed: 0, failed: 0, columns: [] };
  }
  const columns = await runSuite(options);
  for (const line of textTable(groups, columns)) print(line);
  for (const { name, outcomes } of columns) {
    print(
      typeof outcomes === "string"
        ? `skip: shim: ${name}: ${outcomes}`
        : `shim: ${name}: ${tallyText(tally(outcomes))}`,
    );
  }
  const [{ outcomes } = { outcomes: "it was not run" }] = columns;
  if (typeof outcomes === "string") return { passed: 0, failed: 1, columns };
  const { pass, fail } = tally(outcomes);
  return { passed: pass, failed: fail, columns };
}

async function outcomesOf(
  target: Target,
  tools: Readonly<Record<string, string>>,
  rootfs: string,
  wanted: (name: string) => boolean,
): Promise<Map<string, Outcome> | string> {
  const path = await locate(target.path, tools["PATH"] ?? "");
  if (path === undefined) return `there is no ${target.path}`;
  const found = { ...target, path };
  try {
    return await runTarget({ target: found, tools, rootfs }, groups, wanted);
  } catch (error) {
    return messageOf(error);
  }
}
