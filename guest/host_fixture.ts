/**
 * What tests of the agent's handlers have in common.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { HResultError } from "../base/hresult.ts";

/** Annotations of a pod's sandbox container. */
export const sandbox = { "io.kubernetes.cri.container-type": "sandbox" };

/** Annotations of a workload container. */
export function workload(pod: string): Record<string, string> {
  return {
    "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.sandbox-id": pod,
  };
}

/** Asserts that a call is refused with an HRESULT. */
export async function refused(
  call: () => Promise<unknown>,
  hresult: number,
): Promise<void> {
  const error = await assertRejects(call, HResultError);
  assertEquals(error.hresult, hresult);
}
