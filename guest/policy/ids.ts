/**
 * Ids in a confidential VM (`spec/guest-runtime.md` 1).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { nullGuid } from "../../base/guid.ts";

/** What an id is of. */
export type IdKind = "container" | "virtual pod" | "sandbox";

/** What containerd makes: 64 hexadecimal digits. */
const idForm = /^[0-9a-fA-F]{64}$/;

/** True for an id that a confidential VM takes, the VM's own among them. */
export function isConfidentialId(id: string): boolean {
  return id === nullGuid || idForm.test(id);
}

/** @throws {ShimError} InvalidArgument for an id in another form. */
export function requireConfidentialId(kind: IdKind, id: string): void {
  if (isConfidentialId(id)) return;
  throw new ShimError(
    "InvalidArgument",
    `Cannot use ${JSON.stringify(id.slice(0, 300))}: invalid ${kind} id: ` +
      "a confidential VM takes 64 hexadecimal digits",
  );
}
