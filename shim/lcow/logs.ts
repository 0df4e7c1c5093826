/**
 * `lcow logs`: the log of a sandbox, whether or not its shim still runs.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { parseLogLevel } from "../../base/log.ts";
import { extentOf } from "../log/extent.ts";
import { findLog, type FoundLog } from "../log/find.ts";
import {
  escapeUnsafe,
  HumanPrinter,
  type LineFilter,
  parseLine,
  passes,
} from "../log/line.ts";
import type { StoredLog } from "../log/names.ts";
import { readLog } from "../log/reader.ts";
import { formatTable } from "../table.ts";
import { UsageError } from "./parser.ts";
import { findShims, inNamespaces, shimKnowing, within } from "./shims.ts";
import { logsOf, type StoredLogs } from "./stored_logs.ts";
import {
  type Answer,
  type Invocation,
  type LcowContext,
  namespaceOf,
  type Word,
} from "./word.ts";

/** Milliseconds of the units of an age. */
const units: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** RFC 3339, whose time may be left out. */
const pointInTime =
  /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

/**
 * Reads a point in time or an age, such as `10m`.
 *
 * @returns Milliseconds since 1970.
 * @throws {UsageError} For anything else.
 */
function parseSince(text: string, now: number): number {
  const [, count, unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * units[unit]!;
  const time = pointInTime.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(time)) return time;
  throw new UsageError(
    `${JSON.stringify(text)} is no time: expected 2026-01-31T12:00:00Z, ` +
      "2026-01-31, or an age as 90s, 10m, 2h or 7d",
  );
}

/** What the flags ask for. @throws {UsageError} For values that are none. */
function filterOf({ values }: Invocation, now: number): LineFilter {
  const level = values.get("level");
  const since = values.get("since");
  const parsed = level === undefined ? undefined : parseLogLevel(level);
  if (level !== undefined && parsed === undefined) {
    throw new UsageError(
      `${
        JSON.stringify(level)
      } is no level: expected trace, debug, info, warn or error`,
    );
  }
  return {
    level: parsed,
    since: since === undefined ? undefined : parseSince(since, now),
  };
}

/** Asks the shims that run: one that has said nothing yet knows the id, too. */
async function findByShim(
  id: string,
  logs: readonly StoredLog[],
  namespace: string | undefined,
  context: LcowContext,
  signal: AbortSignal,
): Promise<FoundLog | undefined> {
  const reports = await findShims(context, signal, { namespace, ids: [id] });
  const shim = shimKnowing(id, within(namespace, reports));
  const name = logs.find((log) =>
    log.namespace === shim?.namespace && log.id === shim?.key
  );
  return name === undefined ? undefined : { name, about: id };
}

/** The logs that there are. */
async function list(
  folder: string,
  logs: readonly StoredLog[],
  namespace: string | undefined,
): Promise<Answer> {
  const rows: {
    namespace: string;
    id: string;
    written: Date;
    bytes: number;
  }[] = [];
  for (const log of logs) {
    const { namespace, id } = log;
    const { bytes, written } = await extentOf(folder, log);
    rows.push({ namespace, id, written: new Date(written), bytes });
  }
  rows.sort((a, b) => b.written.getTime() - a.written.getTime());
  const table = rows.map((
    { namespace, id, written, bytes },
  ) => [namespace, id, written.toISOString(), String(bytes)]);
  return {
    json: { folder, logs: rows },
    text: rows.length === 0
      ? `There are no logs${ofNamespace(namespace)} in ${folder}.\n`
      : formatTable([["NAMESPACE", "ID", "WRITTEN", "BYTES"], ...table]),
  };
}

/** Whose logs were looked for, for people. */
function ofNamespace(namespace: string | undefined): string {
  return namespace === undefined ? "" : ` of namespace "${namespace}"`;
}

/** The error for an id that no log tells about. */
function noLog(
  id: string,
  namespace: string | undefined,
  { folder, logs }: StoredLogs,
): ShimError {
  const elsewhere = logs.filter((log) => log.id === id);
  const advice = elsewhere.length === 0
    ? "`lcow logs` lists the logs that there are"
    : inNamespaces(elsewhere.map(({ namespace }) => namespace));
  return new ShimError(
    "NotFound",
    `No log${ofNamespace(namespace)} in ${folder} tells about ${
      JSON.stringify(id)
    }; ${advice}`,
  );
}

/** Prints lines until the log or its reader ends. */
async function show(
  folder: string,
  { name, about }: FoundLog,
  { switches }: Invocation,
  filter: LineFilter,
  { print }: LcowContext,
  signal: AbortSignal,
): Promise<void> {
  const printer = new HumanPrinter();
  const encoder = new TextEncoder();
  const asJson = switches.has("json");
  const follow = switches.has("follow");
  for await (const lines of readLog(folder, name, { follow, signal })) {
    const chosen = lines.map(parseLine)
      .filter((line) => passes(line, { ...filter, about }));
    const text = chosen.map((line) =>
      asJson ? `${escapeUnsafe(line.text)}\n` : printer.print(line)
    ).join("");
    if (text !== "") await print(encoder.encode(text));
  }
  signal.throwIfAborted();
}

/** See the module. */
export const logs: Word = {
  name: "logs",
  summary: "print the log of a sandbox, also of one that is gone",
  operands: [{
    name: "ID",
    summary: "a sandbox, or a pod or container in one; without it, the logs " +
      "that there are",
    optional: true,
  }],
  flags: [
    { name: "follow", short: "f", summary: "go on with what is logged later" },
    {
      name: "level",
      value: "LEVEL",
      summary:
        "only lines of this level and above: trace, debug, info, warn, " +
        "error",
    },
    {
      name: "since",
      value: "TIME",
      summary:
        "only lines from then on: 2026-01-31T12:00:00Z, or an age as 10m",
    },
  ],
  async run(invocation, context, signal) {
    const { operands: [id], switches } = invocation;
    const filter = filterOf(invocation, context.clock.now());
    if (id === undefined && switches.has("follow")) {
      throw new UsageError("Flag --follow needs an ID");
    }
    const namespace = namespaceOf(invocation);
    const all = await logsOf(context);
    const { folder } = all;
    const stored = within(namespace, all.logs);
    if (id === undefined) return await list(folder, stored, namespace);
    const found = await findLog(folder, stored, id, signal) ??
      await findByShim(id, stored, namespace, context, signal);
    if (found === undefined) throw noLog(id, namespace, all);
    await show(folder, found, invocation, filter, context, signal);
    return {};
  },
};
