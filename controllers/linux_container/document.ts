/**
 * The document by which the guest creates a container.
 *
 * @module
 */

import { isJsonObject } from "../../base/json.ts";
import type { ContainerDocument } from "../../bridge/messages.gen.ts";
import { guestSpec } from "../../oci/guest_spec.ts";
import { Spec } from "../../oci/spec.gen.ts";
import { guestBundle, type GuestIds, guestRootfs } from "./paths.ts";

/**
 * Builds the document of a container.
 *
 * @param spec Its specification, with mounts in terms of the guest; left alone.
 * @param ids The container in the guest.
 * @param scratch Its writable directory in the guest.
 * @throws {ShimError} InvalidArgument without a linux section.
 */
export function containerDocument(
  spec: Spec,
  ids: GuestIds,
  scratch: string,
): ContainerDocument {
  const place = { rootfs: guestRootfs(ids), podId: ids.podId };
  const json = Spec.encode(guestSpec(spec, place));
  return {
    SchemaVersion: { Major: 2, Minor: 1 },
    OciBundlePath: guestBundle(ids),
    OciSpecification: isJsonObject(json) ? json : {},
    ScratchDirPath: scratch,
  };
}
