/**
 * What one compute system reports: completions of pending calls, its exit, and
 * the loss of the service.
 *
 * @module
 */

import { messageOf, ShimError } from "../../../base/errors.ts";
import { HResult, HResultError } from "../../../base/hresult.ts";
import { type Json, parseJson } from "../../../base/json.ts";
import type { Logger } from "../../../base/log.ts";
import type { ExitInfo } from "../../../hcs/ports.ts";
import { numberMember, textMember } from "../library/document.ts";
import { computeError, isFailure } from "../library/error_document.ts";
import { type Notification, NotificationType } from "./notifications.ts";

/** How a wait for a completion ended. */
export type Outcome =
  | {
    readonly kind: "completed";
    /** HRESULT, unsigned. */
    readonly status: number;
    /** Error document, or empty. */
    readonly data: string;
  }
  | { readonly kind: "exited" | "disconnected" | "closed" };

/** A completion that is waited for; made before the call that it completes. */
export interface Expectation {
  /** Settles once; never rejects. */
  readonly outcome: Promise<Outcome>;
  /** Nobody waits any more. */
  forget(): void;
}

interface Waiter {
  readonly type: number;
  readonly settle: (outcome: Outcome) => void;
}

/** Longest notification data in the log. */
const maxLogged = 8192;

const informative: Readonly<Record<number, string>> = {
  [NotificationType.SystemCrashInitiated]: "The guest begins to crash",
  [NotificationType.SystemCrashReport]: "The guest crashed",
  [NotificationType.SystemGuestConnectionClosed]:
    "The compute service lost its connection to the guest",
};

/** Error of an operation on a closed handle. */
export function closedError(subject: string): ShimError {
  return new HResultError(
    HResult.InvalidHandle,
    `${subject}: the handle has already been closed`,
  );
}

/** Error of a wait that ended without success; undefined for a success. */
export function outcomeError(
  subject: string,
  outcome: Outcome,
  log: Logger,
): ShimError | undefined {
  switch (outcome.kind) {
    case "completed":
      return isFailure(outcome.status)
        ? computeError(subject, outcome.status, outcome.data, log)
        : undefined;
    case "exited":
      return new HResultError(
        HResult.UnexpectedExit,
        `${subject}: unexpected container exit`,
      );
    case "disconnected":
      return disconnectedError(subject);
    case "closed":
      return new HResultError(
        HResult.InvalidHandle,
        `${subject}: the handle generating this notification has been closed`,
      );
  }
}

function disconnectedError(subject: string): ShimError {
  return new ShimError(
    "Unavailable",
    `${subject}: lost communication with compute service. Is the service vmcompute running?`,
  );
}

/**
 * Keeps what a system reported, for all readers: a completion for those who
 * expect it, its end for good. The first terminal event wins.
 */
export class SystemEvents {
  readonly #subject: string;
  readonly #log: Logger;
  readonly #exit = Promise.withResolvers<ExitInfo>();
  readonly #waiters = new Set<Waiter>();
  #end: Outcome | undefined;
  #terminated = false;

  /**
   * @param id The system's id, for messages.
   * @param log Takes what nobody waits for.
   */
  constructor(id: string, log: Logger) {
    this.#subject = `hcs::System::waitBackground ${id}`;
    this.#log = log;
    // A system whose end nobody asks for is not an error.
    this.#exit.promise.catch(() => {});
  }

  /** See {@linkcode ComputeSystem.exited}. */
  get exited(): Promise<ExitInfo> {
    return this.#exit.promise;
  }

  /** True when the system has ended. */
  get hasExited(): boolean {
    return this.#end?.kind === "exited";
  }

  /** The exit that follows was asked for. */
  expectTermination(): void {
    this.#terminated = true;
  }

  /**
   * Waits for a completion, from now on. To be called before the call that it
   * completes: the notification may come before that call returns.
   */
  expect(type: number): Expectation {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    if (this.#end !== undefined) {
      resolve(this.#end);
      return { outcome: promise, forget: () => {} };
    }
    const waiter = { type, settle: resolve };
    this.#waiters.add(waiter);
    return {
      outcome: promise,
      forget: () => void this.#waiters.delete(waiter),
    };
  }

  /** Takes one notification. Never throws. */
  deliver(notification: Notification): void {
    const { type, status, data } = notification;
    if (type === NotificationType.SystemExited) {
      this.#finish({ kind: "exited" }, () => this.#settleExit(notification));
    } else if (type === NotificationType.ServiceDisconnect) {
      this.#finish(
        { kind: "disconnected" },
        () => this.#exit.reject(disconnectedError(this.#subject)),
      );
    } else if (informative[type] !== undefined) {
      const logged = data.slice(0, maxLogged);
      this.#log.warn(informative[type], { status, data: logged });
    } else {
      for (const waiter of this.#waiters) {
        if (waiter.type !== type) continue;
        this.#waiters.delete(waiter);
        waiter.settle({ kind: "completed", status, data });
      }
    }
  }

  /** The handle is closed: nothing more comes. */
  close(): void {
    this.#finish(
      { kind: "closed" },
      () => this.#exit.reject(closedError(this.#subject)),
    );
  }

  #finish(end: Outcome, settleExit: () => void): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    settleExit();
    for (const waiter of this.#waiters) waiter.settle(end);
    this.#waiters.clear();
  }

  #settleExit({ status, data }: Notification): void {
    if (isFailure(status) && status !== HResult.UnexpectedExit) {
      this.#exit.reject(computeError(this.#subject, status, data, this.#log));
      return;
    }
    const payload = this.#payload(data);
    const reported = textMember(payload, "ExitType");
    const unexpected = status === HResult.UnexpectedExit ||
      reported === "UnexpectedExit";
    if (unexpected) {
      const code = numberMember(payload, "Status") ?? 0;
      this.#exit.resolve({
        status: isFailure(code) ? code >>> 0 : HResult.UnexpectedExit,
        exitType: "UnexpectedExit",
      });
      return;
    }
    const forced = reported === "ForcedExit" ||
      (reported !== "GracefulExit" && this.#terminated);
    this.#exit.resolve({
      status: 0,
      exitType: forced ? "ForcedExit" : "GracefulExit",
    });
  }

  #payload(data: string): Json | undefined {
    if (data === "") return undefined;
    try {
      return parseJson(data, "the exit notification");
    } catch (error) {
      this.#log.warn("The exit notification is no JSON", {
        error: messageOf(error),
        data: data.slice(0, maxLogged),
      });
      return undefined;
    }
  }
}
