/**
 * What a runtime says when it fails, as errors that the host understands.
 *
 * @module
 */

import { isJsonObject, parseJson } from "../../base/json.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { ShimError } from "../../base/errors.ts";

interface Row {
  readonly test: RegExp;
  readonly hresult: number;
}

/** Wordings of runc and crun (`spec/guest-runtime.md` 8, and crun 1.8's own). */
const rows: readonly Row[] = [
  {
    test: /^container .*does not exist$|no such container/,
    hresult: HResult.SystemNotFound,
  },
  {
    test:
      /container with (given ID already|id) exists|container .* already exists/,
    hresult: HResult.SystemAlreadyExists,
  },
  {
    test: /invalid (container ID|id) format/,
    hresult: HResult.InvalidArgument,
  },
  {
    test: /container .*that is not stopped|container still running/,
    hresult: HResult.GuestInvalidState,
  },
  {
    test: /container .*(is )?not running/,
    hresult: HResult.SystemAlreadyStopped,
  },
];

/** The last error of a log of JSON lines, or undefined. */
export function lastLoggedError(log: string): string | undefined {
  for (const line of log.split("\n").reverse()) {
    if (line.trim() === "") continue;
    try {
      const entry = parseJson(line);
      if (!isJsonObject(entry)) continue;
      const { level, msg } = entry;
      const isError = level === undefined ||
        ["error", "fatal", "panic"].includes(String(level));
      if (isError && typeof msg === "string") return msg.trim();
    } catch (error) {
      // A runtime that dies may leave half a line.
      if (!(error instanceof ShimError)) throw error;
    }
  }
  return undefined;
}

/**
 * The error for a call of the runtime that failed.
 *
 * @param what What was tried, on which container.
 * @param program Name of the runtime.
 * @param code Its exit code.
 * @param log What it logged as JSON lines.
 */
export function runtimeError(
  what: string,
  program: string,
  code: number,
  log: string,
): ShimError {
  const text = lastLoggedError(log);
  const message = text === undefined
    ? `${what}: ${program} ended with code ${code} and no message`
    : `${what}: ${program}: ${text}`;
  const row = rows.find(({ test }) => text !== undefined && test.test(text));
  return row === undefined
    ? new ShimError("Unknown", message)
    : new HResultError(row.hresult, message);
}
