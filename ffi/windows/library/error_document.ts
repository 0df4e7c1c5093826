/**
 * Errors of Windows' services: a code, and often a document of kilobytes that says
 * why (`{Error, ErrorMessage, ErrorEvents[]}` of the compute service, `{Success,
 * Error, ErrorCode}` of the network service).
 *
 * @module
 */

import { messageOf } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { type Json, parseJson } from "../../../base/json.ts";
import type { Logger } from "../../../base/log.ts";
import { member, textMember } from "./document.ts";

/** Longest text of a document that goes into an error's message. */
const maxDetail = 300;

/** Longest part of a document that is no JSON which goes to the log. */
const maxRaw = 4096;

/** True for codes that mean failure (the sign bit of the HRESULT). */
export function isFailure(hresult: number): boolean {
  return (hresult | 0) < 0;
}

/**
 * The texts for people in an error document, on one line: the messages of its
 * events, else its own message. Stack traces and providers stay in the log.
 */
export function errorDetail(document: Json): string {
  const events = member(document, "ErrorEvents");
  const messages = (Array.isArray(events) ? events : [])
    .map((event) => textMember(event, "Message"));
  const texts = messages.some((text) => text !== "")
    ? messages
    : [textMember(document, "ErrorMessage") || textMember(document, "Error")];
  const line = texts
    .map((text) => text.replace(/\s+/g, " ").trim().replace(/[.:]$/, ""))
    .filter((text) => text !== "").join("; ");
  return line.length <= maxDetail ? line : `${line.slice(0, maxDetail)}…`;
}

/**
 * The error of a failed call. Its message is short; the whole document goes to
 * the log.
 *
 * @param subject Operation and id, for example `hcs::System::Start pod1@vm`.
 * @param hresult The code.
 * @param text The error document; null when there is none. Anything that is not
 *   JSON is logged and ignored.
 */
export function computeError(
  subject: string,
  hresult: number,
  text: string | null,
  log: Logger,
): HResultError {
  if (text === null || text === "") return new HResultError(hresult, subject);
  let document: Json;
  try {
    document = parseJson(text, "the error document");
  } catch (error) {
    log.warn("An error document is no JSON", {
      subject,
      error: messageOf(error),
      text: text.slice(0, maxRaw),
    });
    return new HResultError(hresult, subject);
  }
  const detail = errorDetail(document);
  const error = new HResultError(
    hresult,
    detail === "" ? subject : `${subject}: ${detail}`,
  );
  log.info("Windows refused a call", {
    subject,
    code: error.symbol,
    document,
  });
  return error;
}
