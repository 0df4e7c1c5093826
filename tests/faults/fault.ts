/**
 * One fault in the life of a pod: the n-th call to host or guest fails in one of
 * the ways in which calls fail.
 *
 * @module
 */

import { abortable, type Clock } from "../../base/clock.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";

/** E_ACCESSDENIED of winerror.h: an error that no layer takes for anything else. */
const accessDenied = 0x80070005;

/** The ways in which a call can fail. */
export const faultKinds = [
  "error",
  "gone",
  "bridge closed",
  "VM exited",
  "no answer",
] as const;

/** A way in which a call can fail. */
export type FaultKind = (typeof faultKinds)[number];

/**
 * Who is called. What is `local` (files, listening) the operating system answers
 * at once, so that it cannot stay without an answer.
 */
export type Callee = "host" | "local" | "client" | "guest";

/** One call. */
export interface Call {
  /** Who is called. */
  readonly callee: Callee;
  /** What is called, for example `modify Remove VirtualMachine/…`. */
  readonly name: string;
  /** The flow in which it was. */
  readonly flow: string;
}

/** What a fault can do to the VM. */
export interface FaultEffects {
  /** True when there is something that can be closed. */
  readonly hasBridge: boolean;
  /** True when there is something that can exit. */
  readonly hasVm: boolean;
  /** The guest closes its bridge. */
  closeBridge(): Promise<void>;
  /** The VM ends by itself. */
  exit(): void;
}

/** A call as the one who plays its callee makes it. */
export interface Played<T> {
  /** Who is called. */
  readonly callee: Callee;
  /** What is called. */
  readonly name: string;
  /** What it does; also when it then answers that there is nothing left. */
  readonly run: () => T | Promise<T>;
  /** True when the call lets something go, so that "gone" is a success. */
  readonly isRelease?: boolean;
  /** Ends the wait for an answer, where the port has a signal. */
  readonly signal?: AbortSignal | undefined;
}

/** Records calls, and makes one of them fail. */
export class Faults {
  /** All calls so far. */
  readonly calls: Call[] = [];
  /** The call that failed. */
  failed: (Call & { readonly isRelease: boolean }) | undefined;
  /** The flow that runs. */
  flow = "";
  readonly #clock: Clock;
  readonly #at: number;
  readonly #kind: FaultKind;

  /**
   * @param clock Source of time.
   * @param at Which call fails, from 0; -1 is none.
   * @param kind How it fails.
   */
  constructor(clock: Clock, at = -1, kind: FaultKind = "error") {
    this.#clock = clock;
    this.#at = at;
    this.#kind = kind;
  }

  /** Makes a call, or makes it fail. */
  async play<T>(effects: FaultEffects, call: Played<T>): Promise<T> {
    const { callee, name, run, isRelease = false, signal } = call;
    signal?.throwIfAborted();
    const index = this.calls.length;
    this.calls.push({ callee, name, flow: this.flow });
    if (index !== this.#at) return await run();
    const record = { ...this.calls[index]!, isRelease };
    switch (this.#kind) {
      case "error":
        this.failed = record;
        throw new HResultError(accessDenied, "injected");
      case "gone":
        this.failed = record;
        if (isRelease) await run();
        throw new HResultError(HResult.ElementNotFound, "injected");
      case "bridge closed":
        if (!effects.hasBridge) return await run();
        this.failed = record;
        await effects.closeBridge();
        if (callee !== "guest") return await run();
        throw new TypeError("Nobody hears this answer");
      case "VM exited":
        if (!effects.hasVm) return await run();
        this.failed = record;
        effects.exit();
        if (callee === "client") return await run();
        throw new HResultError(HResult.SystemAlreadyStopped, "injected");
      case "no answer":
        if (callee === "local") return await run();
        this.failed = record;
        return await this.#never(callee, signal);
    }
  }

  /** The host fails by the bound of its port; others have none of their own. */
  async #never(callee: Callee, signal?: AbortSignal): Promise<never> {
    if (callee !== "host") {
      return await abortable(new Promise(() => {}), signal);
    }
    await this.#clock.sleep(defaultTimeouts.systemCall, signal);
    throw new DOMException("injected", "TimeoutError");
  }
}
