/**
 * What a guest is doing.
 *
 * @module
 */

import { deadline } from "../base/clock.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Shim } from "./shim.ts";

/**
 * The stacks of the guest, which has `timeouts.guestStacks` to answer.
 *
 * @throws {ShimError} FailedPrecondition unless the VM runs; DeadlineExceeded; else
 * what the guest answered.
 */
export async function guestStacks(
  { clock, timeouts }: Shim,
  { vm }: Sandbox,
  signal?: AbortSignal,
): Promise<string> {
  return await deadline(
    clock,
    timeouts.guestStacks,
    "The dump of the guest's stacks",
    () => vm.guest.dumpStacks(),
    signal,
  );
}
