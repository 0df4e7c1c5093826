/**
 * What a guest is doing.
 *
 * @module
 */

import { deadline } from "../base/clock.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Shim } from "./shim.ts";

/**
 * The sandbox whose VM runs.
 *
 * @throws {ShimError} FailedPrecondition `vm is not running (state: …)`.
 */
export function runningSandbox({ sandbox }: Shim): Sandbox {
  if (sandbox === undefined) {
    throw new ShimError(
      "FailedPrecondition",
      "vm is not running (state: NotCreated)",
    );
  }
  sandbox.requireRunning();
  return sandbox;
}

/**
 * The stacks of the guest, which has `timeouts.guestStacks` to answer.
 *
 * @returns Empty when the guest cannot tell.
 * @throws {ShimError} FailedPrecondition unless the VM runs; DeadlineExceeded; else
 * what the guest answered.
 */
export async function guestStacks(
  shim: Shim,
  signal?: AbortSignal,
): Promise<string> {
  const { vm } = runningSandbox(shim);
  return await deadline(
    shim.clock,
    shim.timeouts.guestStacks,
    "The dump of the guest's stacks",
    () => vm.guest.dumpStacks(),
    signal,
  );
}

/** The stacks of the guest, or why there are none; one of them is empty. */
export interface GuestAnswer {
  /** What the guest is doing; empty when it cannot tell. */
  readonly stacks: string;
  /** Why it did not answer. */
  readonly problem: string;
}

/** Asks the guest as {@linkcode guestStacks} does. Rejects only when the signal aborts. */
export async function askGuest(
  shim: Shim,
  signal?: AbortSignal,
): Promise<GuestAnswer> {
  try {
    return { stacks: await guestStacks(shim, signal), problem: "" };
  } catch (error) {
    signal?.throwIfAborted();
    return { stacks: "", problem: messageOf(error) };
  }
}
