/**
 * What a specification may ask for and this shim does not do.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { cri } from "../../oci/annotations.ts";
import { missingLinux } from "../../oci/guest_spec.ts";
import type { Spec } from "../../oci/spec.gen.ts";

/**
 * The namespace of a process. A workload of a pod names its sandbox by the
 * process id that this shim told, which is one of the VM.
 */
const ofProcess = /^\/proc\/[1-9]\d*\/ns\/net$/;

/**
 * Refuses a specification before anything is acquired for it.
 *
 * @throws {ShimError} InvalidArgument without a linux section; NotImplemented
 * naming a network namespace of a Linux host, which the guest cannot have.
 */
export function refuseUnsupported(spec: Spec): void {
  if (spec.linux === undefined) throw missingLinux();
  const isWorkload = spec.annotations?.[cri.containerType] === "container";
  for (const { type, path } of spec.linux.namespaces ?? []) {
    if (type !== "network" || !path) continue;
    if (isWorkload && ofProcess.test(path)) continue;
    throw new ShimError(
      "NotImplemented",
      `Network namespace "${path}" is not supported: it is one of this machine, not of the VM`,
    );
  }
}
