/**
 * The life of a program that takes the output of a process (`binary://`).
 *
 * @module
 */

import { abortable, type Clock, deadline } from "../../base/clock.ts";
import { classify, messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Timeouts } from "../../base/timeouts.ts";
import type { LoggingProgram } from "../../hcs/stdio.ts";

/** What seeing to a program needs. */
export interface LoggingOptions {
  /** Where it tells what happens. */
  readonly log: Logger;
  /** Source of time. */
  readonly clock: Clock;
  /** `loggerReady` and `loggerExit`. */
  readonly timeouts: Pick<Timeouts, "loggerReady" | "loggerExit">;
}

/**
 * Waits until a program that was just started is ready. The caller ends one that
 * is not.
 *
 * @throws {ShimError} DeadlineExceeded, `failed to start binary logger: timeout`;
 * Unavailable when it has ended; the signal's reason.
 */
export async function loggerReady(
  program: LoggingProgram,
  { clock, timeouts, log }: LoggingOptions,
  signal?: AbortSignal,
): Promise<void> {
  const limit = timeouts.loggerReady;
  const ready = (signal: AbortSignal): Promise<void> => program.ready(signal);
  const { pid } = program;
  try {
    await deadline(clock, limit, "A logging program", ready, signal);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const why = classify(cause) === "DeadlineExceeded"
      ? `timeout: it did not say within ${limit} ms that it is ready`
      : messageOf(cause);
    const message = `failed to start binary logger: ${why}`;
    throw new ShimError(classify(cause), message, { cause });
  }
  log.debug("A logging program is ready", { pid });
  program.exited.then((code) =>
    log.debug("A logging program has ended", { pid, code })
  );
}

/**
 * Waits for the end of a program whose streams are closed, and kills it when it
 * does not come. Never rejects.
 */
export async function loggerEnded(
  program: LoggingProgram,
  { clock, timeouts, log }: LoggingOptions,
): Promise<void> {
  const { pid, exited } = program;
  const ended = async (): Promise<boolean> => {
    try {
      await deadline(
        clock,
        timeouts.loggerExit,
        "The end of a logging program",
        (signal) => abortable(exited, signal),
      );
      return true;
    } catch {
      return false; // only the deadline: `exited` never rejects
    }
  };
  if (await ended()) return;
  log.warn("A logging program that should have ended is killed", { pid });
  program.kill();
  if (!await ended()) log.error("A killed logging program runs on", { pid });
}
