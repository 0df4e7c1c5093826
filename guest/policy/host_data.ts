/**
 * With which policy a VM was started, as its processor vouches for it.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";

/** Through it a guest asks an AMD processor for reports (SEV-SNP). */
const reports = "/dev/sev-guest";

/**
 * Finds out who tells the digest of the policy.
 *
 * A policy that cannot be compared is none: where there is such a processor no
 * policy is taken, because this agent cannot read its reports yet.
 *
 * @param device Device of the processor's reports.
 * @returns Undefined without such a processor.
 */
export async function hostDataReader(
  device = reports,
): Promise<(() => Promise<never>) | undefined> {
  try {
    await Deno.lstat(device);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return () =>
    Promise.reject(
      new ShimError(
        "NotImplemented",
        "Cannot set a policy: this agent cannot read with which one the VM " +
          `was started (HOST_DATA of "${device}")`,
      ),
    );
}
