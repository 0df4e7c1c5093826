/**
 * Structured logging: JSON lines with correlation ids, written to a sink.
 *
 * @module
 */

/** Levels from the most to the least verbose. */
export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;

/** A level of a log line. */
export type LogLevel = (typeof logLevels)[number];

/** Fields of a log line beside `time`, `level` and `msg`. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Takes finished lines, each ending in a line feed. Never throws, never blocks.
 *
 * @returns False when the line is dropped; anything else counts as taken.
 */
export type LogSink = (line: string) => unknown;

/** Writes log lines that carry this logger's fields. */
export interface Logger {
  /** Details of single steps. */
  trace(message: string, fields?: LogFields): void;
  /** Details for people who look for a fault. */
  debug(message: string, fields?: LogFields): void;
  /** What an operator wants to know. */
  info(message: string, fields?: LogFields): void;
  /** Something is wrong and was survived. */
  warn(message: string, fields?: LogFields): void;
  /** Something failed. */
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry these fields as well. */
  child(fields: LogFields): Logger;
}

/** The level of this name (`warning`, `fatal` and `panic` are known), or undefined. */
export function parseLogLevel(text: string): LogLevel | undefined {
  const name = text.toLowerCase();
  if (name === "warning") return "warn";
  if (name === "fatal" || name === "panic") return "error";
  return logLevels.find((level) => level === name);
}

/**
 * Names of members whose values may hold secrets: environments and annotations;
 * `annotationValue` is our own name for one of the latter.
 */
const secretNames =
  "env|environment|annotations|annotationvalue|processparameters|containerconfig";

const secretKeys = new RegExp(`^(?:${secretNames})$`, "i");

/**
 * Errors repeat what they could not read: the same members in JSON, which may be
 * quoted again or cut off, and a wrong value behind its path or the name of its
 * annotation.
 */
const secretText = new RegExp(
  `("(?:${secretNames})\\\\*"\\s*:|` +
    `(?:\\.(?:${secretNames})|\\bannotations?)\\b.{0,1000}?, got ).*`,
  "is",
);

/** The piece of a text around what is no JSON, as V8 quotes it. */
const jsonPiece = /, (?:\.{3})?".{0,60}"(?:\.{3})? is not valid JSON/s;

/**
 * A text without secrets: from the value of a member that may hold them on, the
 * rest is left out.
 */
export function scrubText(text: string): string {
  if (!text.includes('"')) return text;
  return text.replace(secretText, "$1<scrubbed>")
    .replace(jsonPiece, ", <scrubbed> is not valid JSON");
}

function replacer(key: string, value: unknown): unknown {
  if (secretKeys.test(key) && typeof value !== "number") return "<scrubbed>";
  const plain = plainReplacer(key, value);
  return typeof plain === "string" ? scrubText(plain) : plain;
}

function plainReplacer(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return value.message;
  return value;
}

/** How a logger is made. */
export interface LogOptions {
  /** Lines below this level are dropped. Default `info`. */
  readonly level?: LogLevel;
  /** Replaces environments and annotations. Default true. */
  readonly scrub?: boolean;
  /** Fields of every line. */
  readonly fields?: LogFields;
  /** Fields of what runs now; those of the logger and of the line count more. */
  readonly current?: () => LogFields | undefined;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * A logger that writes JSON lines.
 *
 * @example One line
 * ```ts
 * import { jsonLogger } from "./log.ts";
 * const lines: string[] = [];
 * jsonLogger((line) => lines.push(line), { fields: { sandbox: "pod1" } })
 *   .info("Started", { pid: 7 });
 * console.assert(lines[0]?.includes('"msg":"Started"'));
 * ```
 */
export function jsonLogger(sink: LogSink, options: LogOptions = {}): Logger {
  const { level = "info", scrub = true, fields = {}, now = Date.now } = options;
  const { current } = options;
  const lowest = logLevels.indexOf(level);
  const make = (bound: LogFields): Logger => {
    const write = (at: LogLevel) => (msg: string, more?: LogFields): void => {
      if (logLevels.indexOf(at) < lowest) return;
      const time = new Date(now()).toISOString();
      const line = { time, level: at, msg, ...current?.(), ...bound, ...more };
      sink(JSON.stringify(line, scrub ? replacer : plainReplacer) + "\n");
    };
    return {
      trace: write("trace"),
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: (more) => make({ ...bound, ...more }),
    };
  };
  return make(fields);
}

/** A logger that writes nothing. */
export const silentLogger: Logger = jsonLogger(() => {});

/**
 * A value as JSON for people outside, with the replacements of a scrubbed log:
 * environments and annotations are left out.
 */
export function scrubbedJson(value: unknown): string {
  return `${JSON.stringify(value, replacer, 2)}\n`;
}

/** A text as a scrubbed log has it. */
export function scrubbedText(text: string): string {
  return String(replacer("", text));
}
