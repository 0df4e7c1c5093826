/**
 * What sources and destinations of mounts mean beyond paths.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import type { Mount } from "./spec.gen.ts";

/** Prefix of a destination that gets a block device instead of a mount. */
export const blockDevicePrefix = "blockdev://";

/** Prefixes of sources inside the VM, and what they are relative to. */
export const guestSources = {
  /** A directory of the pod. */
  sandbox: "sandbox://",
  /** A directory in memory of the pod. */
  sandboxTmp: "sandbox-tmp://",
  /** Any path of the VM. */
  uvm: "uvm://",
  /** Huge pages: `hugepages://<size>/<location>`. */
  hugepages: "hugepages://",
} as const;

/** True when the guest finds the source by itself. */
export function isGuestSource(source: string): boolean {
  const { sandbox, sandboxTmp, uvm } = guestSources;
  return [sandbox, sandboxTmp, uvm].some((prefix) => source.startsWith(prefix));
}

/** True when a mount is read-only. */
export function isReadOnly({ options = [] }: Pick<Mount, "options">): boolean {
  return options.some((option) => option.toLowerCase() === "ro");
}

/**
 * Checks a source of huge pages.
 *
 * @param source A source that starts with `hugepages://`.
 * @throws {ShimError} InvalidArgument unless it is `hugepages://2M/<location>`.
 */
export function requireHugepages(source: string): void {
  const [size = "", ...location] = source
    .slice(guestSources.hugepages.length).split("/");
  if (size === "" || location.join("/") === "") {
    throw new ShimError(
      "InvalidArgument",
      `Invalid hugepages mount path ${source}: expected format hugepages://<size>/<location>`,
    );
  }
  if (size !== "2M") {
    throw new ShimError(
      "InvalidArgument",
      `Unsupported hugepage size ${size}: only 2M is supported`,
    );
  }
}

const evdPrefix = "evd://";

/**
 * Splits the source of an extensible virtual disk, `evd://<type>/<path>`.
 *
 * @throws {ShimError} InvalidArgument when it has another form.
 */
export function parseExtensibleDisk(
  source: string,
): { readonly type: string; readonly path: string } {
  const rest = source.startsWith(evdPrefix)
    ? source.slice(evdPrefix.length)
    : undefined;
  const slash = rest?.indexOf("/") ?? -1;
  if (rest === undefined || slash <= 0) {
    throw new ShimError(
      "InvalidArgument",
      `Invalid extensible virtual disk path "${source}": expected format evd://<type>/<path>`,
    );
  }
  return { type: rest.slice(0, slash), path: rest.slice(slash + 1) };
}
