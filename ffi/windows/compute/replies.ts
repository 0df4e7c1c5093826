/**
 * What replies of Windows' services mean, whichever DLL brought them.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import {
  HResult,
  isAlreadyStopped,
  isNotFound,
} from "../../../base/hresult.ts";
import { type Json, parseJson } from "../../../base/json.ts";
import { textMember } from "../library/document.ts";
import { isFailure } from "../library/error_document.ts";

/** True for "the call goes on, a notification ends it". */
export function isPending(hresult: number): boolean {
  return hresult === HResult.Pending;
}

/** The services that replies come from. */
export type Service = "hcs" | "hcn";

/** The error of a reply that the service should not have given. */
export function unexpectedReply(
  subject: string,
  what: string,
  service: Service = "hcs",
  cause?: unknown,
): ShimError {
  return new ShimError(
    "Internal",
    `${subject}: unexpected value returned from ${service}: ${what}`,
    { cause },
  );
}

/**
 * A document that the service must have sent.
 *
 * @throws {ShimError} Internal when it is missing or no JSON.
 */
export function requiredDocument(
  subject: string,
  text: string | null,
  service: Service = "hcs",
): Json {
  if (text === null || text === "") {
    throw unexpectedReply(subject, "nothing", service);
  }
  try {
    return parseJson(text, "the reply");
  } catch (cause) {
    throw unexpectedReply(subject, "no JSON", service, cause);
  }
}

/**
 * The RuntimeId in a system's properties.
 *
 * @throws {ShimError} Internal when it is missing.
 */
export function requiredRuntimeId(subject: string, properties: Json): string {
  const runtimeId = textMember(properties, "RuntimeId");
  if (runtimeId === "") throw unexpectedReply(subject, "no RuntimeId");
  return runtimeId;
}

/**
 * Judges the answer to a shutdown or a terminate: a system that is stopping, has
 * stopped or does not exist is what the caller wanted.
 *
 * @param hresult What was answered.
 * @param failure Makes the error of that answer.
 * @throws {ShimError} that error.
 */
export function acceptStop(hresult: number, failure: () => ShimError): void {
  if (!isFailure(hresult) || isPending(hresult)) return;
  const error = failure();
  if (!isAlreadyStopped(error) && !isNotFound(error)) throw error;
}
