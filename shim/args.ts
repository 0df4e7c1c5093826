/**
 * The command line, as containerd and Go's flag package write it.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

/** Name of the program in its messages and in what it tells containerd. */
export const shimName = "containerd-shim-lcow-v2";

/** What the process is to do. */
export type Mode = Action | "info" | "version";

/** What an action word asks for. */
type Action = "start" | "serve" | "delete" | "lcow" | "doctor";

/** A parsed command line. Absent texts are empty. */
export interface Arguments {
  /** What to do. */
  readonly mode: Mode;
  /** containerd's namespace. */
  readonly namespace: string;
  /** Id of the task or sandbox. */
  readonly id: string;
  /** Bundle directory. */
  readonly bundle: string;
  /** containerd's gRPC address. */
  readonly address: string;
  /** Path of containerd's own executable. */
  readonly publishBinary: string;
  /** Address of the endpoint that `serve` serves. */
  readonly socket: string;
  /** Verbose logging. */
  readonly debug: boolean;
  /** What stands behind `lcow`, which reads it itself; else empty. */
  readonly command: readonly string[];
}

/** Flags with a value, and the member that takes it. */
const textFlags: ReadonlyMap<
  string,
  "namespace" | "id" | "bundle" | "address" | "publishBinary" | "socket"
> = new Map([
  ["namespace", "namespace"],
  ["id", "id"],
  ["bundle", "bundle"],
  ["address", "address"],
  ["publish-binary", "publishBinary"],
  ["socket", "socket"],
]);

/** Flags without a value, and the member that they set. */
const switches: ReadonlyMap<string, "debug" | "info" | "version"> = new Map([
  ["debug", "debug"],
  ["info", "info"],
  ["v", "version"],
  ["version", "version"],
]);

/** The action words. */
const actions: readonly Action[] = [
  "start",
  "serve",
  "delete",
  "lcow",
  "doctor",
];

const expectedActions = "expected start, serve, delete, lcow or doctor";

/** Go's spellings of a boolean. */
const truths: ReadonlyMap<string, boolean> = new Map([
  ["1", true],
  ["t", true],
  ["T", true],
  ["true", true],
  ["TRUE", true],
  ["True", true],
  ["0", false],
  ["f", false],
  ["F", false],
  ["false", false],
  ["FALSE", false],
  ["False", false],
]);

function refuse(message: string): ShimError {
  return new ShimError("InvalidArgument", message);
}

/**
 * Refuses what cannot be one component of an address or file name.
 *
 * @param what What the value is, for the error.
 * @param value A namespace or id.
 * @throws {ShimError} InvalidArgument.
 */
export function requireName(what: string, value: string): void {
  if (value === "") throw refuse(`${what} cannot be empty`);
  // deno-lint-ignore no-control-regex -- control characters are what it refuses
  if (/[\u0000-\u001f\u007f/\\]/.test(value) || /^\.{1,2}$/.test(value)) {
    throw refuse(
      `${what} ${JSON.stringify(value)} is not a name: it may hold neither ` +
        "slashes nor control characters",
    );
  }
}

/**
 * Reads a command line: single-dash flags (`--x` is the same), `-x value` or
 * `-x=value`, then one action word; `lcow` takes what follows it. `-v` wins over
 * `-info`, both over the action. Every action but `doctor` and `lcow` needs a
 * namespace and an id.
 *
 * @param args The arguments after the program's name.
 * @throws {ShimError} InvalidArgument naming the argument.
 *
 * @example What containerd sends
 * ```ts
 * import { parseArguments } from "./args.ts";
 * const args = parseArguments(["-namespace", "k8s.io", "-id", "pod1", "start"]);
 * console.assert(args.mode === "start" && args.id === "pod1");
 * ```
 */
export function parseArguments(args: readonly string[]): Arguments {
  const texts = {
    namespace: "",
    id: "",
    bundle: "",
    address: "",
    publishBinary: "",
    socket: "",
  };
  const set = { debug: false, info: false, version: false };
  let next = 0;
  while (next < args.length) {
    const argument = args[next]!;
    if (!argument.startsWith("-") || argument === "-") break;
    next++;
    if (argument === "--") break;
    const [, name, value] = /^--?([^=]*)(?:=([\s\S]*))?$/.exec(argument) ?? [];
    const toggle = switches.get(name ?? "");
    if (toggle !== undefined) {
      const on = value === undefined ? true : truths.get(value);
      if (on === undefined) {
        throw refuse(`Flag -${name} is true or false, not "${value}"`);
      }
      set[toggle] = on;
      continue;
    }
    const text = textFlags.get(name ?? "");
    if (text === undefined) throw refuse(`Unknown flag "${argument}"`);
    if (value === undefined && next >= args.length) {
      throw refuse(`Flag -${name} needs a value`);
    }
    texts[text] = value ?? args[next++]!;
  }
  const bound = { ...texts, debug: set.debug, command: [] };
  if (set.version) return { ...bound, mode: "version" };
  if (set.info) return { ...bound, mode: "info" };
  const mode = actionOf(args.slice(next), texts);
  const command = mode === "lcow" ? args.slice(next + 1) : [];
  return { ...bound, mode, command };
}

function actionOf(
  rest: readonly string[],
  { namespace, id, socket }: { namespace: string; id: string; socket: string },
): Action {
  const [word, ...more] = rest;
  if (word === undefined) throw refuse(`No action: ${expectedActions}`);
  const action = actions.find((known) => known === word);
  if (action === undefined) {
    throw refuse(`Unknown action "${word}": ${expectedActions}`);
  }
  if (more.length > 0 && action !== "lcow") {
    throw refuse(`Unexpected argument "${more[0]}" after ${action}`);
  }
  if (action === "doctor") return action;
  if (action === "lcow") {
    if (namespace === "" && id === "") return action;
    throw refuse(
      "-namespace and -id have no meaning before lcow: it is " +
        "`lcow WORD ID --namespace NS`",
    );
  }
  requireName("namespace", namespace);
  requireName("id", id);
  if (action === "serve" && socket === "") {
    throw refuse("socket cannot be empty: `start` passes it as -socket");
  }
  return action;
}
