/**
 * What a word of `lcow` is: declared as data, from which the parser and the help
 * are made, with one function that does it.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Timeouts } from "../../base/timeouts.ts";
import type { ComputeHost, Platform } from "../../hcs/ports.ts";

/** What stands behind a word without a dash. */
export interface Operand {
  /** As the help shows it, for example `ID`. */
  readonly name: string;
  /** What it is, for the help. */
  readonly summary: string;
  /** Whether it may be left out; those behind it may, too. */
  readonly optional?: true;
  /**
   * It and everything behind it, dashes included, are passed on as they are: the
   * last operand only, for example a command.
   */
  readonly rest?: true;
}

/** A flag of a word. */
export interface Flag {
  /** Its name without dashes, for example `read-only`. */
  readonly name: string;
  /** One letter that means the same, for example `n`. */
  readonly short?: string;
  /** Name of its value for the help, for example `NS`; absent for a switch. */
  readonly value?: string;
  /** What it does, for the help. */
  readonly summary: string;
}

/** A parsed command line. */
export interface Invocation {
  /** What is to be done. */
  readonly word: Word;
  /** The operands in their order; those left out are missing at the end. */
  readonly operands: readonly string[];
  /** Names of the switches that were given. */
  readonly switches: ReadonlySet<string>;
  /** Values of the flags that have one, by name; the last one counts. */
  readonly values: ReadonlyMap<string, string>;
}

/** What a word has to say when it is done. */
export interface Answer {
  /** Printed without `--json`; ends with a line feed unless it is empty. */
  readonly text?: string;
  /** Printed with `--json`, as one line. */
  readonly json?: object;
  /** Exit code; 0 by default. */
  readonly code?: number;
}

/** Standard input of this process. */
export interface LocalInput {
  /** Reads some bytes; null at the end. A read cannot be given up. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Whether it is a terminal. */
  isTerminal(): boolean;
  /**
   * Whether its terminal hands every key on as it is pressed, those that would
   * interrupt, too.
   */
  setRaw(raw: boolean): void;
}

/** What the words need of the world. */
export interface LcowContext {
  /** Endpoints, and what crashed shims left. */
  readonly platform: Pick<
    Platform,
    | "endpoint"
    | "endpoints"
    | "connect"
    | "leftovers"
    | "logFolder"
    | "serveStdio"
    | "diagnose"
    | "os"
    | "arch"
    | "build"
  >;
  /** Loads the compute service; called only by words that need it. */
  readonly compute: () => Promise<Pick<ComputeHost, "open" | "enumerate">>;
  /** Writes to standard output, for words that go on for long. */
  readonly print: (bytes: Uint8Array) => Promise<void>;
  /** Writes to standard error what is no failure of the word, as it is. */
  readonly complain: (bytes: Uint8Array) => Promise<void>;
  /** Standard input. */
  readonly input: LocalInput;
  /** Source of time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Timeouts;
}

/** One word of `lcow`. */
export interface Word {
  /** The word. */
  readonly name: string;
  /** What it does, in one line without a period, for the help. */
  readonly summary: string;
  /** What stands behind it; optional ones last. */
  readonly operands: readonly Operand[];
  /** Its own flags; {@linkcode commonFlags} are everybody's. */
  readonly flags: readonly Flag[];
  /**
   * Does it.
   *
   * @param signal Aborts when the user interrupts.
   * @throws {ShimError} What went wrong, and what to do.
   */
  run(
    invocation: Invocation,
    context: LcowContext,
    signal: AbortSignal,
  ): Promise<Answer>;
}

/** Flags that every word has. */
export const commonFlags: readonly Flag[] = [
  {
    name: "namespace",
    short: "n",
    value: "NS",
    summary: "only what is in this namespace of containerd",
  },
  { name: "json", summary: "print JSON; errors, too" },
  { name: "help", short: "h", summary: "print this help" },
];

/** Where something was looked for, for people. */
export function whereText(namespace: string | undefined): string {
  return namespace === undefined
    ? "on this host"
    : `in namespace "${namespace}"`;
}

/** The namespace that was asked for. */
export function namespaceOf({ values }: Invocation): string | undefined {
  return values.get("namespace");
}
