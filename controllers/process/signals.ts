/**
 * Which signals a client may send.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";

/** SIGHUP. */
const first = 1;

/** SIGSYS, the last one of Linux that is not a real-time signal. */
const last = 31;

/**
 * Checks a signal of Linux by its number.
 *
 * @returns The signal.
 * @throws {ShimError} InvalidArgument for a number that is none.
 */
export function requireSignal(signal: number): number {
  if (Number.isInteger(signal) && signal >= first && signal <= last) {
    return signal;
  }
  throw new ShimError(
    "InvalidArgument",
    `${signal} is an invalid signal; Linux containers take ${first} to ${last}`,
  );
}
