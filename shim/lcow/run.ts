/**
 * Runs `lcow` and says how it ended: exit code 0, 1 for a failure, 2 for a command
 * line that cannot be understood, 130 when it was interrupted, 141 when nobody
 * reads its output any more. Errors are one line on standard error; with `--json`
 * an object `{"error":{"code","message"}}`.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { classify, messageOf } from "../../base/errors.ts";
import { formatJson } from "../../base/json.ts";
import { jsonLogger } from "../../base/log.ts";
import { interruptions, loadMachine } from "../host.ts";
import { oneLine } from "../table.ts";
import { parse, UsageError, wantsJson } from "./parser.ts";
import { escapeUnsafe } from "../log/line.ts";
import { complaint, printable } from "./printable.ts";
import type { Answer, LcowContext, Word } from "./word.ts";
import { words } from "./words.ts";

/** Where the output goes. */
export interface Output {
  /** Writes to standard output. */
  readonly print: (bytes: Uint8Array) => Promise<void>;
  /** Writes to standard error. */
  readonly complain: (bytes: Uint8Array) => Promise<void>;
}

/** The shell's code for a command that SIGINT ended; ours for any interruption. */
const interrupted = 130;

/** The shell's code for a command whose reader went away, `lcow ps | head` say. */
const unread = 141;

/** One line of JSON that a terminal does not act on either. */
function jsonLine(value: object): string {
  return `${escapeUnsafe(formatJson(value))}\n`;
}

function outputOf({ text = "", json }: Answer, asJson: boolean): string {
  if (!asJson) return printable(text);
  return json === undefined ? "" : jsonLine(json);
}

function errorLine(error: unknown, asJson: boolean): string {
  const message = messageOf(error);
  return asJson
    ? jsonLine({ error: { code: classify(error), message: oneLine(message) } })
    : complaint(message);
}

/**
 * Runs a command line.
 *
 * @param args What stands behind `lcow`.
 * @param context Makes the world, once it is clear what is to be done.
 * @param signal Aborts when the user interrupts.
 * @param table The words.
 * @returns The exit code.
 */
export async function lcow(
  args: readonly string[],
  context: () => Promise<LcowContext>,
  { print, complain }: Output,
  signal: AbortSignal,
  table: readonly Word[] = words,
): Promise<number> {
  const encoder = new TextEncoder();
  let asJson = wantsJson(args);
  try {
    const parsed = parse(args, table);
    if ("help" in parsed) {
      await print(encoder.encode(parsed.help));
      return 0;
    }
    asJson = parsed.switches.has("json");
    const answer = await parsed.word.run(parsed, await context(), signal);
    await print(encoder.encode(outputOf(answer, asJson)));
    return answer.code ?? 0;
  } catch (error) {
    if (signal.aborted) return interrupted;
    // Only our own output fails like this: streams of shims have errors of ours.
    if (error instanceof Deno.errors.BrokenPipe) return unread;
    await complain(encoder.encode(errorLine(error, asJson)));
    return error instanceof UsageError ? 2 : 1;
  }
}

/**
 * Runs `lcow` on this machine.
 *
 * @param args What stands behind `lcow`.
 * @returns The exit code.
 */
export async function runLcow(
  args: readonly string[],
  output: Output,
): Promise<number> {
  const interruption = new AbortController();
  for (const signal of interruptions) {
    // nohup(1) leaves us no terminal and ignores SIGHUP: to listen would undo it.
    if (signal === "SIGHUP" && !Deno.stdin.isTerminal()) continue;
    Deno.addSignalListener(signal, () => interruption.abort());
  }
  const context = async (): Promise<LcowContext> => {
    const machine = await loadMachine();
    const warn = (line: string): void =>
      void Deno.stderr.writeSync(new TextEncoder().encode(line));
    return {
      platform: machine.platform,
      compute: async () =>
        (await machine.host(jsonLogger(warn, { level: "warn" }))).compute,
      ...output,
      input: Deno.stdin,
      clock: systemClock,
      timeouts: machine.timeouts,
    };
  };
  return await lcow(args, context, output, interruption.signal);
}
