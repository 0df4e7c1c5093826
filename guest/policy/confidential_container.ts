/**
 * What a confidential VM demands of the places of a container
 * (`spec/guest-runtime.md` 4.3).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { ContainerOptions } from "../container.ts";
import { requireConfidentialId } from "./ids.ts";

/**
 * Checks what the host says of a container. REF does so after the container was
 * set up; nothing that is checked changes there, and a place that is refused must
 * not be touched.
 *
 * @param containers Folder of the containers.
 * @throws {ShimError} InvalidArgument for an id in another form,
 * PermissionDenied for places of another layout than the first one's, or hooks.
 */
export function requireConfidentialContainer(
  options: ContainerOptions,
  containers: string,
): void {
  const { id, identity, bundle, scratch, spec } = options;
  const { role, sandboxId, virtualPodId } = identity;
  requireConfidentialId("container", id);
  if (virtualPodId !== "") requireConfidentialId("virtual pod", virtualPodId);
  if (role === "workload") requireConfidentialId("sandbox", sandboxId);
  const own = `${containers}/${id}`;
  const scratches = [id, sandboxId]
    .map((owner) => `${containers}/${owner}/scratch/${id}`);
  const places: readonly [name: string, path: string, right: string[]][] = [
    ["OciBundlePath", bundle, [own]],
    ["root.path", spec.root?.path ?? "", [`${own}/rootfs`]],
    ["ScratchDirPath", scratch, scratches],
  ];
  const refuse = (reason: string): never => {
    throw new ShimError(
      "PermissionDenied",
      `Cannot create container "${id}" in a confidential VM: ${reason}`,
    );
  };
  for (const [name, path, right] of places) {
    if (right.includes(path)) continue;
    refuse(`${name} is "${path}", not "${right[0]}"`);
  }
  if (spec.hooks !== undefined) refuse("it has hooks");
}
