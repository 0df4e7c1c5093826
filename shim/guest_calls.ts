/**
 * What the guest of a sandbox has been asked and has not answered.
 *
 * @module
 */

import { nullGuid } from "../base/guid.ts";
import type { OpenSpan } from "../base/trace.ts";
import type { Vm } from "./runtime.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Shim } from "./shim.ts";

/** A request to a guest that is not answered yet. */
export type GuestCall = Vm["guest"]["pending"][number];

function callOf({ name, attributes, startedAt }: OpenSpan): GuestCall {
  const { cid = nullGuid } = attributes;
  return { rpc: name, containerId: String(cid), since: startedAt };
}

/**
 * The calls to a guest that are not answered, whatever the state of its VM; waits
 * for processes last as long as those.
 */
export function guestCalls(
  { tracer }: Shim,
  sandbox: Sandbox,
): readonly GuestCall[] {
  if (sandbox.vmState === "Running") return sandbox.vm.guest.pending;
  // The handshake, and what was under way at the end: only their spans are known.
  return tracer.open().filter(({ kind }) => kind === "bridge").map(callOf);
}
