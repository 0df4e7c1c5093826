/**
 * What the simulated host answers when it refuses: one row per condition.
 *
 * @module
 */

import { HResult, HResultError } from "../base/hresult.ts";

interface Row {
  readonly hresult: number;
  /** Where the code is known from; `assumed` when the real service was not seen to answer it. */
  readonly source: "documented" | "assumed";
}

/**
 * Conditions. `documented`: the meaning of the code in `computecore.h` and
 * `winerror.h` leaves no choice.
 */
export const refusals = {
  /** A document or query that is no valid one. */
  invalidDocument: { hresult: HResult.InvalidJson, source: "documented" },
  /** The id is taken. */
  systemExists: { hresult: HResult.SystemAlreadyExists, source: "documented" },
  /** No such compute system. */
  noSuchSystem: { hresult: HResult.SystemNotFound, source: "documented" },
  /** The system has ended. */
  systemStopped: {
    hresult: HResult.SystemAlreadyStopped,
    source: "documented",
  },
  /** Not now: the system is starting, or not started yet, or started already. */
  wrongState: { hresult: HResult.InvalidState, source: "assumed" },
  /** The system was ended while it started. */
  terminatedDuringStart: { hresult: 0xc0370100, source: "documented" },
  /** The handle was closed. */
  closedHandle: { hresult: HResult.InvalidHandle, source: "documented" },
  /** A device or feature that this host does not simulate. */
  notSupported: { hresult: 0x80070032, source: "documented" },
  /** A file that the document names does not exist. */
  fileNotFound: { hresult: 0x80070002, source: "documented" },
  /** A resource path that means nothing. */
  unknownResource: { hresult: HResult.InvalidArgument, source: "assumed" },
  /** A value that cannot be right. */
  invalidValue: { hresult: HResult.InvalidArgument, source: "assumed" },
  /** The place on the controller is taken. */
  slotInUse: { hresult: 0x800700b7, source: "assumed" },
  /** Nothing is attached there, or no such controller. */
  slotEmpty: { hresult: HResult.ElementNotFound, source: "assumed" },
  /** An adapter of an endpoint that the network service does not know. */
  noSuchEndpoint: { hresult: 0x803b0002, source: "assumed" },
  /** GrantVmAccess for a VM that does not exist. */
  noSuchVm: { hresult: HResult.ElementNotFound, source: "assumed" },
  /** The machine did not come up. */
  bootFailed: { hresult: HResult.Fail, source: "assumed" },
} as const satisfies Record<string, Row>;

/**
 * The error for a condition.
 *
 * @param condition Row of {@linkcode refusals}.
 * @param message What was tried, on which thing, and why not.
 */
export function refusal(
  condition: keyof typeof refusals,
  message: string,
  options?: ErrorOptions,
): HResultError {
  return new HResultError(refusals[condition].hresult, message, options);
}
