/**
 * Enforcers of this agent, and which one the host's settings mean
 * (`spec/guest-runtime.md` 11.2).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { denial, type PolicyEnforcer } from "./questions.ts";

/** Allows everything. */
export const openDoor: PolicyEnforcer = { ask: () => Promise.resolve({}) };

/** Denies everything. */
export const closedDoor: PolicyEnforcer = {
  ask: (question) => Promise.reject(denial(question)),
};

/** The enforcer that a VM starts with. */
export const initialEnforcers: Readonly<
  Record<"allow" | "deny", PolicyEnforcer>
> = { allow: openDoor, deny: closedDoor };

/**
 * Makes an enforcer of a policy.
 *
 * @param policy The policy itself, decoded.
 * @throws When it cannot be read.
 */
export type EnforcerFactory = (
  policy: Uint8Array<ArrayBuffer>,
) => PolicyEnforcer | Promise<PolicyEnforcer>;

/** This agent has no interpreter of policies in Rego. */
function noRego(): never {
  throw new ShimError("NotImplemented", "GCS not built with Rego support");
}

/**
 * The enforcer for a policy.
 *
 * @param type As the host names it; empty leaves it to the policy.
 * @param policy The policy; empty when there is none.
 * @param rego Makes an enforcer of a policy in Rego.
 * @throws {ShimError} InvalidArgument for another type, or a policy that nobody
 * would look at; NotImplemented for Rego without a maker.
 */
export async function chooseEnforcer(
  type: string,
  policy: Uint8Array<ArrayBuffer>,
  rego: EnforcerFactory = noRego,
): Promise<PolicyEnforcer> {
  const isEmpty = policy.length === 0;
  const name = type === "" ? (isEmpty ? "open_door" : "rego") : type;
  if (name === "rego") return await rego(policy);
  if (name !== "open_door") {
    throw new ShimError("InvalidArgument", `unknown enforcer: "${name}"`);
  }
  if (isEmpty) return openDoor;
  throw new ShimError(
    "InvalidArgument",
    'Cannot enforce a policy by "open_door": it allows everything',
  );
}
