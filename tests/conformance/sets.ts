/**
 * The sets of recordings: which we can run, and how.
 *
 * @module
 */

import { formatJson, type JsonObject } from "../../base/json.ts";
import { canRun } from "../kernel/guest_fixture.ts";
import { hasCommands, recordedCommands, runCommands } from "./command_lines.ts";
import { runContainerDocument } from "./container_doc.ts";
import { type Difference, difference } from "./compare.ts";
import type { Deviation } from "./deviation.ts";
import { deviations } from "./deviations.ts";
import { errorOf } from "./errors.ts";
import { AgentSession, recordedPlay } from "./guest_agent.ts";
import { recordedReplay, replay } from "./guest_replay.ts";
import { runHcsDocument } from "./hcs_doc.ts";
import type { RecordedCase } from "./recordings.ts";
import { runSequence } from "./device_sequences.ts";
import { hasCalls, playTrace } from "./shim_trace.ts";
import { operations } from "./single_requests.ts";
import { layOutShim } from "./trace_layout.ts";

/** Gives our output for the input of a case, in the layout of the recorded one. */
export type RunCase = (recorded: RecordedCase) => Promise<JsonObject>;

/** A set while it runs. */
export interface SetRun {
  /** Runs one case; the cases come in their order. */
  readonly run: RunCase;
  /** The recorded output in the layout of ours. Default: as it is. */
  readonly layOut?: (output: JsonObject) => JsonObject;
  /** What of the set is run, when that is not all. */
  readonly part?: string;
  /** Whether the part has to do with a case. Default: with all. */
  readonly concerns?: (recorded: RecordedCase) => boolean;
  /** Ends what the cases have needed. */
  readonly close?: () => Promise<void>;
}

/** Begins a run of a set, or tells why that cannot be on this machine. */
export type Begin = () => Promise<SetRun | string>;

/** The sets that run, by name: how their runs begin. */
export const runners: Readonly<Record<string, readonly Begin[]>> = {
  "hcs-doc": [
    () => Promise.resolve({ run: ({ input }) => runHcsDocument(input) }),
  ],
  "container-doc": [() => Promise.resolve({ run: runContainerDocument })],
  "hcs-modify": [() => Promise.resolve({ run: runModification })],
  "guest-agent": [beginGuestAgent],
  "trace": [
    () => Promise.resolve(beginReplay()),
    () => Promise.resolve(beginShimTrace()),
    () => Promise.resolve(commandLines),
  ],
};

/** The command lines of a trace. */
const commandLines: SetRun = {
  part: "command lines",
  concerns: ({ input }) => hasCommands(input),
  run: ({ input }) => runCommands(input),
  layOut: recordedCommands,
};

/** The guest's side of a trace; the layout of the recorded answers needs ours. */
function beginReplay(): SetRun {
  let ours: JsonObject = {};
  return {
    part: "requests to the guest",
    run: async ({ input }) => ours = await replay(input),
    layOut: (output) => recordedReplay(output, ours),
  };
}

/** The shim's side of a trace; which classes are open depends on ours. */
function beginShimTrace(): SetRun {
  let ours: JsonObject = {};
  return {
    part: "calls to the shim",
    concerns: ({ input }) => hasCalls(input),
    run: async ({ input }) => ours = await playTrace(input),
    layOut: (output) => layOutShim(output.events, ours),
  };
}

/** One agent serves all cases, which may depend on each other. */
async function beginGuestAgent(): Promise<SetRun | string> {
  if (!await canRun()) return "it needs root and control groups of version 1";
  const session = await AgentSession.start();
  return {
    run: ({ input }) => session.play(input),
    layOut: recordedPlay,
    close: () => session.stop(),
  };
}

/** Runs a case of `hcs-modify`, whose groups are of two forms. */
async function runModification(
  { group, input }: RecordedCase,
): Promise<JsonObject> {
  const operation = operations[group];
  return operation === undefined
    ? await runSequence(group, input)
    : await operation(input);
}

/** How a case went. */
export interface CaseResult {
  /** Where ours differs; undefined when it agrees. */
  readonly difference: Difference | undefined;
  /** The rows of the table that applied. */
  readonly deviations: readonly Deviation[];
}

/** What we are expected to give. */
export interface Expectation {
  /** The recorded output, with our values where rows of the table say so. */
  readonly output: JsonObject;
  /** The rows that applied. */
  readonly rows: readonly Deviation[];
}

/**
 * Finds out what we are expected to give.
 *
 * @param set Name of the set.
 * @param recorded The case.
 * @param setRun Gives our output, for rows that say "the same as".
 * @param rows The table.
 */
export async function expectationOf(
  set: string,
  recorded: RecordedCase,
  { run, layOut = (output) => output }: SetRun,
  rows: readonly Deviation[] = deviations,
): Promise<Expectation> {
  const { input, defects } = recorded;
  let output = layOut(recorded.output);
  const applied: Deviation[] = [];
  for (const row of rows) {
    if (row.set !== set) continue;
    const like = row.sameAs?.(input);
    const expected = like === undefined
      ? row.expected?.({ input, output, defects })
      : await run({ ...recorded, input: like });
    if (expected === undefined) continue;
    output = expected;
    applied.push(row);
  }
  return { output, rows: applied };
}

/** Runs one case and compares. Never rejects. */
export async function judgeCase(
  set: string,
  recorded: RecordedCase,
  setRun: SetRun,
): Promise<CaseResult> {
  try {
    const ours = await setRun.run(recorded);
    const { output, rows } = await expectationOf(set, recorded, setRun);
    return { difference: difference(ours, output), deviations: rows };
  } catch (error) {
    const text = `the case cannot be run: ${formatJson(errorOf(error))}`;
    return { difference: { path: "$", text }, deviations: [] };
  }
}
