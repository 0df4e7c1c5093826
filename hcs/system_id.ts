/**
 * How the compute systems of this program are called.
 *
 * @module
 */

const suffix = "@vm";

/**
 * The id of a sandbox's VM for the compute service.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { vmSystemId } from "./system_id.ts";
 *
 * assertEquals(vmSystemId("pod1"), "pod1@vm");
 * ```
 */
export function vmSystemId(sandboxId: string): string {
  return `${sandboxId}${suffix}`;
}

/** The sandbox whose VM has this id, which {@linkcode vmSystemId} made. */
export function sandboxOfVm(systemId: string): string {
  return systemId.slice(0, -suffix.length);
}
