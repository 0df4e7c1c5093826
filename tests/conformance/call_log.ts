/**
 * What was called while a case ran, and which call fails.
 *
 * @module
 */

import type { ErrorCode } from "../../base/errors.ts";
import { HResultError } from "../../base/hresult.ts";
import type { JsonObject } from "../../base/json.ts";
import { bridgeClosed } from "../../bridge/errors.ts";
import { textOf } from "./json.ts";

/** With this text a call fails because the guest is lost. */
const lost = "bridge closed";

/** How the peer calls that error. */
const lostForPeer = "bridge closed: use of closed network connection";

/** Access is denied: a code with a class of its own, which must not get lost. */
export const injectedCode = 0x80070005;

/** Class of an injected failure. */
export const injectedClass: ErrorCode = "PermissionDenied";

/** The error that a recorded text stands for. */
function injected(text: string): HResultError {
  return text === lost
    ? bridgeClosed("Cannot call the guest")
    : new HResultError(injectedCode, text);
}

/** The text of an injected failure as it is recorded with the call. */
export function recordedFailure(text: string): string {
  return text === lost ? lostForPeer : text;
}

/** Records calls, and fails the n-th call of a name when the case says so. */
export class CallLog {
  readonly #failures: JsonObject;
  readonly #counts = new Map<string, number>();
  #calls: JsonObject[] = [];

  /** @param failures By `<call>#<n>`, the text with which it fails. */
  constructor(failures: JsonObject = {}) {
    this.#failures = failures;
  }

  /** The calls since the last time this was asked. */
  take(): JsonObject[] {
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }

  /**
   * Records a call.
   *
   * @param call Its name.
   * @param members What is recorded of it.
   * @param returns What a call that succeeds is recorded to return.
   * @throws What the case injects.
   */
  async play(
    call: string,
    members: JsonObject,
    returns?: string,
  ): Promise<void> {
    const count = (this.#counts.get(call) ?? 0) + 1;
    this.#counts.set(call, count);
    const failure = this.#failures[`${call}#${count}`];
    this.#calls.push({
      call,
      ...members,
      ...(failure !== undefined
        ? { fails: recordedFailure(textOf(failure)) }
        : returns === undefined
        ? {}
        : { returns }),
    });
    await Promise.resolve();
    if (failure !== undefined) throw injected(textOf(failure));
  }
}
