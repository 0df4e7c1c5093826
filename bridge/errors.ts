/**
 * Errors on the wire and errors of the product: HRESULTs are signed in a
 * response and unsigned everywhere else.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import type { ErrorRecord, ResponseBase } from "./messages.gen.ts";

/** How a bridge ended. */
export interface BridgeEnd {
  /** What broke it; absent when either side closed it in order. */
  readonly error?: Error;
}

/**
 * The error of a call that a lost bridge ended or prevented. Its class is
 * Unavailable, and {@linkcode isGone} holds for it.
 *
 * @param what What cannot be done, for example `Cannot call Start`.
 * @param cause What broke the bridge, if anything did.
 */
export function bridgeClosed(what: string, cause?: Error): HResultError {
  const reason = cause === undefined ? "" : `: ${messageOf(cause)}`;
  return new HResultError(
    HResult.ConnectionClosed,
    `${what}: bridge closed${reason}`,
    { cause },
  );
}

/**
 * The error that a response reports, or undefined for a success.
 *
 * @returns An error whose text is `guest RPC failure: <message of the guest>`.
 */
export function errorOfResponse(
  response: ResponseBase,
): HResultError | undefined {
  if (response.Result === 0) return undefined;
  const { message: ownText } = new HResultError(response.Result, "");
  let text = response.ErrorMessage ?? "";
  // Our guest's text ends as ours does: code and name once are enough.
  if (text.endsWith(ownText)) text = text.slice(0, -ownText.length);
  return new HResultError(
    response.Result,
    text === "" ? "guest RPC failure" : `guest RPC failure: ${text}`,
  );
}

/** How deep a chain of causes is followed; deeper chains are cut. */
const maxDepth = 16;

/** The HRESULT of the first error of a chain that has one, signed. */
function resultOf(error: unknown): number {
  for (let depth = 0; error instanceof Error && depth < maxDepth; depth++) {
    if (error instanceof HResultError) return error.hresult | 0;
    error = error.cause;
  }
  return HResult.Fail | 0;
}

/** The line of a record without a known source line. */
const unknownLine = 0xffffffff;

interface Place {
  readonly FileName: string;
  readonly Line: number;
  readonly FunctionName?: string;
}

/** Where an error was made: the first frame of its stack. */
function placeOf(error: unknown): Place {
  const stack = error instanceof Error ? error.stack : undefined;
  const frame = stack?.match(
    /^\s+at (?:(?:async )?(\S[^(\n]*) \()?[^\n]*?([^/\\\n]+):(\d+):\d+\)?$/m,
  );
  if (!frame) return { FileName: "", Line: unknownLine };
  const [, name, file = "", line] = frame;
  const place = { FileName: file, Line: Number(line) };
  return name === undefined ? place : { ...place, FunctionName: name };
}

/**
 * What a failed call answers: the code of the first error of the chain that has
 * one (else `E_FAIL`), the text, and one record. Errors that nobody classified
 * are faults of the program; their record carries the stack.
 */
export function responseOfError(error: unknown): ResponseBase {
  const result = resultOf(error);
  const message = messageOf(error);
  const record: ErrorRecord = {
    Result: result,
    Message: message,
    ModuleName: "gcs", // the name that hosts know the guest agent by
    ...placeOf(error),
  };
  if (error instanceof Error && !(error instanceof ShimError) && error.stack) {
    record.StackTrace = error.stack;
  }
  return { Result: result, ErrorMessage: message, ErrorRecords: [record] };
}
