/**
 * Lines of a log file: what they say, which ones are asked for, and how people
 * see them. Pure.
 *
 * @module
 */

import { isJsonObject } from "../../base/json.ts";
import { type LogLevel, logLevels, parseLogLevel } from "../../base/log.ts";

/** A line. */
export interface LogLine {
  /** It as JSON, without a line feed. */
  readonly text: string;
  /** When it was written, milliseconds since 1970; NaN when it does not say. */
  readonly time: number;
  /** How important it is. */
  readonly level: LogLevel;
  /** What happened. */
  readonly msg: string;
  /** Everything else. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Which lines are asked for. */
export interface LineFilter {
  /** At least this level. */
  readonly level?: LogLevel | undefined;
  /** Not older than this, milliseconds since 1970; lines without a time pass. */
  readonly since?: number | undefined;
  /** Only what is about this container or pod. */
  readonly about?: string | undefined;
}

/** Fields that name a container or a pod: ours, and those of other guest agents. */
const idFields = ["cid", "pod", "container", "containerID", "containerId"];

/**
 * What people need not see: the same in all lines of a file, shown in front, or for
 * programs that put traces together.
 */
const hiddenFields = new Set([
  "namespace",
  "shim",
  "sandbox-id",
  "uvm-id",
  "source",
  "trace_id",
  "span_id",
]);

/**
 * Reads a line. What is no line of a logger, because a full disk or a crash cut it,
 * becomes one of level `error`.
 */
export function parseLine(text: string): LogLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Cut off: it is shown as it is.
  }
  if (!isJsonObject(value) || typeof value["msg"] !== "string") {
    const line = { level: "error", msg: "Unreadable line", text } as const;
    const { level, msg, ...fields } = line;
    return { text: JSON.stringify(line), time: NaN, level, msg, fields };
  }
  const { time, level, msg, ...fields } = value;
  return {
    text,
    time: typeof time === "string" ? Date.parse(time) : NaN,
    level: parseLogLevel(String(level)) ?? "info",
    msg: String(msg),
    fields,
  };
}

/** Whether a line is about this container or pod. */
export function isAbout({ fields }: LogLine, id: string): boolean {
  return idFields.some((field) => fields[field] === id);
}

/** Whether a line is asked for. */
export function passes(
  line: LogLine,
  { level = "trace", since, about }: LineFilter,
): boolean {
  return logLevels.indexOf(line.level) >= logLevels.indexOf(level) &&
    !(since !== undefined && line.time < since) &&
    (about === undefined || isAbout(line, about));
}

/**
 * Characters that a terminal obeys or that change the order of others. A guest
 * chooses what it logs, and must not write to the terminal of who reads it.
 */
const unsafe =
  // deno-lint-ignore no-control-regex -- control characters are what it finds
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text without what a terminal obeys: such characters look like `\u001b`, which
 * means the same in JSON.
 */
export function escapeUnsafe(text: string): string {
  return text.replaceAll(
    unsafe,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A value on one line, quoted where its end could not be seen. */
function inline(value: unknown): string {
  const text = typeof value === "string" && /^[^\s"'=]+$/.test(value)
    ? value
    : JSON.stringify(value);
  return escapeUnsafe(text);
}

/** A text of several lines, below its name. */
function block(name: string, value: string): string {
  const lines = value.trimEnd().split("\n").map((line) =>
    `      ${escapeUnsafe(line).replaceAll("\\u0009", "  ")}\n`
  );
  return `    ${name}:\n${lines.join("")}`;
}

function isBlock(value: unknown): value is string {
  return typeof value === "string" && value.trimEnd().includes("\n");
}

/**
 * A line for people: `12:00:01.123 WARN  guest Message key=value`. The time is that
 * of UTC, as in the file. Texts of several lines stand below.
 */
export function humanLine({ time, level, msg, fields }: LogLine): string {
  const at = Number.isNaN(time)
    ? " ".repeat(12)
    : new Date(time).toISOString().slice(11, 23);
  const source = fields["source"] === "guest" ? "guest" : "shim ";
  const shown = Object.entries(fields).filter(([name]) =>
    !hiddenFields.has(name)
  );
  const pairs = shown.filter(([, value]) => !isBlock(value))
    .map(([name, value]) => ` ${inline(name)}=${inline(value)}`);
  const blocks = shown.map(([name, value]) =>
    isBlock(value) ? block(inline(name), value) : ""
  );
  const [first = "", ...more] = msg.trimEnd().split("\n");
  const rest = more.length === 0 ? "" : block("message", more.join("\n"));
  return `${at} ${level.toUpperCase().padEnd(5)} ${source} ${
    escapeUnsafe(first)
  }${pairs.join("")}\n${rest}${blocks.join("")}`;
}

/** Prints lines for people; names the day where a new one begins. */
export class HumanPrinter {
  #day = "";

  /** The line, with the day above when it is another one than that before. */
  print(line: LogLine): string {
    if (Number.isNaN(line.time)) return humanLine(line);
    const day = new Date(line.time).toISOString().slice(0, 10);
    const head = day === this.#day ? "" : `${day} (UTC)\n`;
    this.#day = day;
    return head + humanLine(line);
  }
}
