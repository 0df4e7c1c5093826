/**
 * Waiting for what the kernel makes in its own time. sysfs and `/dev` tell
 * nobody about changes, so they are looked at again and again, up to a bound.
 *
 * @module
 */

import { type Clock, deadline } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";
import { isErrno } from "../ffi/linux/errno.ts";

/** How long something is waited for. */
export interface Wait {
  /** Time. */
  readonly clock: Clock;
  /** Milliseconds until it must have come. */
  readonly timeout: number;
  /** Ends the wait early. */
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds between two looks. */
const lookInterval = 10;

/** Milliseconds between two attempts. */
const retryInterval = 100;

/**
 * Looks until something is found.
 *
 * @param what What is looked for, for the message of the error.
 * @param look Answers undefined while it is not there.
 * @throws {ShimError} DeadlineExceeded when it does not come.
 * @throws The signal's reason, and what `look` throws.
 */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined>,
  { clock, timeout, signal }: Wait,
): Promise<T> {
  const expired = new ShimError(
    "DeadlineExceeded",
    `Cannot find ${what}: it did not appear within ${timeout} ms`,
  );
  try {
    return await deadline(clock, timeout, what, async (both) => {
      for (;;) {
        const found = await look();
        if (found !== undefined) return found;
        await clock.sleep(lookInterval, both);
      }
    }, signal);
  } catch (error) {
    const isTimeout = error instanceof DOMException &&
      error.name === "TimeoutError" && !signal?.aborted;
    throw isTimeout ? expired : error;
  }
}

/**
 * Tries until it works.
 *
 * @param task Leaves nothing behind when it fails.
 * @param isTransient True for a failure that may go away.
 * @throws The last failure, when time is up or it is not transient; the signal's
 * reason.
 */
export async function retry<T>(
  task: () => Promise<T>,
  isTransient: (error: unknown) => boolean,
  { clock, timeout, signal }: Wait,
): Promise<T> {
  const end = clock.now() + timeout;
  for (;;) {
    try {
      return await task();
    } catch (error) {
      if (!isTransient(error) || clock.now() >= end) throw error;
      await clock.sleep(retryInterval, signal);
    }
  }
}

/** Names in a folder, sorted; empty when it does not exist. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    const names = await Array.fromAsync(Deno.readDir(path), ({ name }) => name);
    return names.sort();
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isMissing) return [];
    throw error;
  }
}

/** Every path that matches a pattern, whose components may hold `*`. */
async function matchesOf(pattern: string): Promise<string[]> {
  let found = [""];
  for (const part of pattern.split("/").slice(1)) {
    const form = new RegExp(`^${part.split("*").map(escape).join(".*")}$`);
    const below = found.map(async (folder) =>
      (await namesIn(folder === "" ? "/" : folder))
        .filter((name) => form.test(name)).map((name) => `${folder}/${name}`)
    );
    found = (await Promise.all(below)).flat();
  }
  return found;
}

const escape = (text: string): string => RegExp.escape(text);

/**
 * Waits for the one path that matches a pattern.
 *
 * @param pattern An absolute path; `*` stands for any characters but `/`.
 * @throws {ShimError} FailedPrecondition when several match, DeadlineExceeded
 * when none does in time.
 */
export async function waitForMatch(
  pattern: string,
  wait: Wait,
): Promise<string> {
  return await waitFor(`"${pattern}"`, async () => {
    const [first, ...others] = await matchesOf(pattern);
    if (others.length === 0) return first;
    throw new ShimError(
      "FailedPrecondition",
      `Cannot find "${pattern}": ${others.length + 1} paths match`,
    );
  }, wait);
}

/**
 * Waits until every path exists.
 *
 * @throws {ShimError} InvalidArgument without a path, DeadlineExceeded when one
 * does not come.
 */
export async function waitForPaths(
  paths: readonly string[],
  wait: Wait,
): Promise<void> {
  if (paths.length === 0) {
    throw new ShimError("InvalidArgument", "Cannot wait: no paths are named");
  }
  const missing = new Set(paths);
  const names = paths.map((path) => `"${path}"`).join(", ");
  await waitFor(`all of ${names}`, async () => {
    for (const path of missing) {
      if (await exists(path)) missing.delete(path);
    }
    return missing.size === 0 || undefined;
  }, wait);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}
