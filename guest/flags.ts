/**
 * Flags of the agent (`spec/guest-runtime.md` 16.1): one dash, value after `=`
 * or as the next word.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { type LogLevel, parseLogLevel } from "../base/log.ts";

/** The flags. */
export interface Flags {
  /** Lines below this level are not written. */
  readonly logLevel: LogLevel;
  /** File of the log; empty for the standard error stream. */
  readonly logFile: string;
  /** Hide environments and annotations in the log. */
  readonly scrubLogs: boolean;
  /** Speak version 4 of the protocol; without it every call is refused. */
  readonly v4: boolean;
  /** Bytes of memory that are kept from all pods together. */
  readonly rootMemoryReserve: bigint;
  /** Bytes of memory of the agent itself whose use is logged. */
  readonly agentMemoryThreshold: bigint;
  /** Pattern of core files; empty leaves the kernel's. */
  readonly coreDumpLocation: string;
  /** Kernel messages up to this priority are logged; 0 … 7 as in syslog(3). */
  readonly kernelLogLevel: number;
  /** Keep the clock at the host's. */
  readonly timeSync: boolean;
  /** What is allowed until the host sets a policy: everything or nothing. */
  readonly policyStance: "allow" | "deny";
}

type Values = Readonly<Record<string, string>>;

/** Flags and their defaults. Those with a boolean default may stand alone. */
const defaults: Values = {
  "loglevel": "debug",
  "core-dump-location": "",
  "kmsgLogLevel": "4",
  "logfile": "",
  "log-format": "json",
  "use-inouterr": "false",
  "v4": "false",
  "root-mem-reserve-bytes": "78643200",
  "gcs-mem-limit-bytes": "52428800",
  "disable-time-sync": "false",
  "scrub-logs": "true",
  "initial-policy-stance": "allow",
};

function isBoolean(name: string): boolean {
  const value = defaults[name];
  return value === "true" || value === "false";
}

function wrong(text: string): ShimError {
  return new ShimError("InvalidArgument", text);
}

function split(args: readonly string[]): Values {
  const values: Record<string, string> = { ...defaults };
  for (let i = 0; i < args.length; i++) {
    const [, name, , value] = args[i]!.match(/^--?([^=]+)(=(.*))?$/s) ?? [];
    if (name === undefined || !Object.hasOwn(defaults, name)) {
      throw wrong(`Unknown flag "${args[i]}"`);
    }
    if (value !== undefined) values[name] = value;
    else if (isBoolean(name)) values[name] = "true";
    else if (i + 1 < args.length) values[name] = args[++i]!;
    else throw wrong(`Flag -${name} needs a value`);
  }
  return values;
}

function boolOf(values: Values, name: string): boolean {
  const text = values[name]!.toLowerCase();
  if (["true", "t", "1"].includes(text)) return true;
  if (["false", "f", "0"].includes(text)) return false;
  throw wrong(`Flag -${name} must be true or false, not "${values[name]}"`);
}

function wholeOf(values: Values, name: string): bigint {
  const text = values[name]!;
  if (/^\d+$/.test(text)) return BigInt(text);
  throw wrong(`Flag -${name}: "${text}" is no number`);
}

/** Flags whose other values this agent does not support. */
const only: readonly (readonly [name: string, value: string])[] = [
  ["use-inouterr", "false"],
];

/**
 * Reads the command line.
 *
 * @throws {ShimError} InvalidArgument naming the flag.
 */
export function parseFlags(args: readonly string[]): Flags {
  const values = split(args);
  const logLevel = parseLogLevel(values.loglevel!);
  if (logLevel === undefined) {
    throw wrong(`Flag -loglevel: unknown level "${values.loglevel}"`);
  }
  for (const [name, value] of only) {
    if (values[name] !== value) {
      throw wrong(`Flag -${name}: only "${value}" is supported`);
    }
  }
  const stance = values["initial-policy-stance"]!;
  if (stance !== "allow" && stance !== "deny") {
    throw wrong(
      `Flag -initial-policy-stance must be allow or deny, not "${stance}"`,
    );
  }
  return {
    logLevel,
    logFile: values.logfile!,
    scrubLogs: boolOf(values, "scrub-logs"),
    v4: boolOf(values, "v4"),
    rootMemoryReserve: wholeOf(values, "root-mem-reserve-bytes"),
    agentMemoryThreshold: wholeOf(values, "gcs-mem-limit-bytes"),
    coreDumpLocation: values["core-dump-location"]!,
    kernelLogLevel: Number(wholeOf(values, "kmsgLogLevel")),
    timeSync: !boolOf(values, "disable-time-sync"),
    policyStance: stance,
  };
}
