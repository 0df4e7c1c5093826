/**
 * Errors of a {@linkcode ComputeHost}, turned into what a DLL gives: an HRESULT
 * and an error document.
 *
 * @module
 */

import { classify, type ErrorCode, messageOf } from "../../base/errors.ts";
import { describeHResult, HResult, HResultError } from "../../base/hresult.ts";

/** Codes for errors that have only a class; each has this class at the other side. */
const codes: Partial<Record<ErrorCode, number>> = {
  InvalidArgument: HResult.InvalidArgument,
  NotFound: 0x80070002,
  AlreadyExists: 0x800700b7,
  PermissionDenied: 0x80070005,
  NotImplemented: HResult.NotImplemented,
  FailedPrecondition: HResult.InvalidState,
  DeadlineExceeded: HResult.Timeout,
  Unavailable: HResult.ConnectionClosed,
};

/** What a failed call gives. */
export interface NativeFailure {
  /** HRESULT, unsigned. */
  readonly hresult: number;
  /** Error document. */
  readonly document: string;
}

/** The failure that a DLL would report for an error. */
export function nativeFailure(error: unknown): NativeFailure {
  const text = messageOf(error);
  if (!(error instanceof HResultError)) {
    const hresult = codes[classify(error)] ?? HResult.Fail;
    return { hresult, document: errorDocument(hresult, text) };
  }
  // The receiver writes code and hint anew.
  const suffix = text.lastIndexOf(`: ${describeHResult(error.hresult)}`);
  const detail = suffix < 0 ? text : text.slice(0, suffix);
  const { hresult } = error;
  return { hresult, document: errorDocument(hresult, detail) };
}

function errorDocument(hresult: number, message: string): string {
  return JSON.stringify({
    Error: hresult | 0,
    ErrorMessage: describeHResult(hresult),
    ErrorEvents: [{ Message: message, Provider: "", EventId: 0, Flags: 0 }],
  });
}
