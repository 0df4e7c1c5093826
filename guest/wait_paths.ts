/**
 * A hook of containers that waits for files of the VM, for example devices:
 * `wait-paths -p PATH,PATH… [-t SECONDS]` (`spec/guest-runtime.md` 17.4).
 *
 * @module
 */

import { type Clock, systemClock } from "../base/clock.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import { waitForPaths } from "./wait.ts";

/** Seconds that it waits when none are named. */
const defaultSeconds = "30";

/** Flags and the members that they fill. */
const flags: ReadonlyMap<string, "paths" | "seconds"> = new Map([
  ["p", "paths"],
  ["paths", "paths"],
  ["t", "seconds"],
  ["timeout", "seconds"],
]);

/** What is waited for, and how long. */
export interface WaitArguments {
  /** Paths; all of them must come. */
  readonly paths: readonly string[];
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * Reads the command line: `-p a,b`, `-p=a,b`, `--paths a,b`.
 *
 * @throws {ShimError} InvalidArgument for any other.
 */
export function parseWaitArguments(args: readonly string[]): WaitArguments {
  const refuse = (reason: string): never => {
    throw new ShimError("InvalidArgument", `wait-paths: ${reason}`);
  };
  const values = { paths: "", seconds: defaultSeconds };
  const words = [...args];
  for (let word; (word = words.shift()) !== undefined;) {
    const [, name = "", value] = /^--?([a-z]+)(?:=(.*))?$/s.exec(word) ?? [];
    const member = flags.get(name) ?? refuse(`unknown flag "${word}"`);
    values[member] = value ?? words.shift() ?? refuse(`"${word}" has no value`);
  }
  const { seconds } = values;
  if (!/^[0-9]{1,6}$/.test(seconds)) {
    refuse(`"${seconds}" is no number of seconds`);
  }
  return {
    paths: values.paths.split(",").filter((path) => path !== ""),
    timeout: Number(seconds) * 1000,
  };
}

/**
 * Waits as the command line says.
 *
 * @throws {ShimError} InvalidArgument without a path, DeadlineExceeded when one
 * does not come.
 */
export async function waitPaths(
  args: readonly string[],
  clock: Clock = systemClock,
): Promise<void> {
  const { paths, timeout } = parseWaitArguments(args);
  await waitForPaths(paths, { clock, timeout });
}

if (import.meta.main) {
  try {
    await waitPaths(Deno.args);
  } catch (error) {
    console.error(messageOf(error));
    Deno.exit(1);
  }
}
