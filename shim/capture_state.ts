/**
 * The answer to who asks the system's event tracing for the state of everything.
 *
 * @module
 */

import type { Logger } from "../base/log.ts";
import { askGuest } from "./guest_stacks.ts";
import type { Shim } from "./shim.ts";
import { hostStacks } from "./stacks.ts";

/**
 * Logs what DiagStacks answers: what the shim does, and what its guest does. Never
 * rejects.
 *
 * @param shim Whose state it is.
 * @param parent Gets the lines.
 */
export async function captureState(shim: Shim, parent: Logger): Promise<void> {
  const { sandbox } = shim;
  const log = sandbox === undefined
    ? parent
    : parent.child({ "sandbox-id": sandbox.id });
  log.info("State of the shim", { stacks: hostStacks(shim) });
  if (sandbox?.vmState !== "Running") return;
  const { stacks, problem } = await askGuest(shim);
  if (stacks !== "") log.info("State of the guest", { stacks });
  if (problem !== "") {
    log.warn("The guest does not tell its state", { error: problem });
  }
}
