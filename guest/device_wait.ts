/**
 * Waiting for what the host adds to the VM to appear in sysfs.
 *
 * @module
 */

import { type Clock, deadline } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";

/** Milliseconds between looks at sysfs, which tells nobody about changes. */
const pollInterval = 10;

/** Names in a folder; empty when it does not exist. */
export async function namesIn(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(path)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names;
}

/** What is waited for and how long. */
export interface DeviceWait<T> {
  /** Time. */
  readonly clock: Clock;
  /** Milliseconds. */
  readonly timeout: number;
  /** Name of the device, for messages. */
  readonly what: string;
  /** Looks once; undefined means not yet. What it throws ends the wait. */
  readonly look: () => Promise<T | undefined>;
  /** Ends the wait early. */
  readonly signal?: AbortSignal;
}

/**
 * Looks again and again until something is found or time is up.
 *
 * @throws {ShimError} DeadlineExceeded; else what `look` throws, or the reason
 * of the signal.
 */
export async function waitForDevice<T>(wait: DeviceWait<T>): Promise<T> {
  const { clock, timeout, what, look, signal } = wait;
  try {
    return await deadline(clock, timeout, what, async (both) => {
      for (;;) {
        const found = await look();
        if (found !== undefined) return found;
        await clock.sleep(pollInterval, both);
      }
    }, signal);
  } catch (cause) {
    if (signal?.aborted || !(cause instanceof DOMException)) throw cause;
    throw new ShimError(
      "DeadlineExceeded",
      `Cannot find ${what}: it did not appear within ${timeout} ms`,
      { cause },
    );
  }
}
