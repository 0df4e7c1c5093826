/**
 * What a specification may ask for and this shim does not do.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { missingLinux } from "../../oci/guest_spec.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import { refuseHostMounts } from "./mounts.ts";

/**
 * Refuses a specification before anything is acquired for it.
 *
 * @throws {ShimError} InvalidArgument without a linux section; NotImplemented
 * naming the mount, device or namespace.
 */
export function refuseUnsupported(spec: Spec): void {
  const refuse = (what: string): ShimError =>
    new ShimError("NotImplemented", `${what} is not supported`);
  if (spec.linux === undefined) throw missingLinux();
  const [device] = spec.windows?.devices ?? [];
  if (device !== undefined) {
    throw refuse(`Assigning device "${device.id}" to a container`);
  }
  const hcn = spec.windows?.network?.networkNamespace;
  if (hcn) throw refuse(`Network namespace "${hcn}"`);
  for (const { type, path } of spec.linux?.namespaces ?? []) {
    if (type === "network" && path) throw refuse(`Network namespace "${path}"`);
  }
  refuseHostMounts(spec.mounts ?? []);
}
