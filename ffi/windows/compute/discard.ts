/**
 * Letting compute systems go whose error is already known.
 *
 * @module
 */

import { messageOf } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";

/** What is let go. */
export interface Discarded {
  /** The system's id. */
  readonly id: string;
  /** Ends the system. */
  terminate(): Promise<unknown>;
  /** Closes the handle. */
  close(): Promise<void>;
}

/**
 * Lets a system go. Never rejects: further errors are logged, the first one is
 * what the caller wants to know.
 *
 * @param terminate Whether to end it before its handle is closed.
 */
export async function discard(
  system: Discarded,
  terminate: boolean,
  log: Logger,
): Promise<void> {
  const steps = [
    ...(terminate ? [() => system.terminate()] : []),
    () => system.close(),
  ];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      log.warn("Cannot let a compute system go", {
        system: system.id,
        error: messageOf(error),
      });
    }
  }
}
