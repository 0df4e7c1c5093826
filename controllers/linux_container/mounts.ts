/**
 * The mounts of a container: disks are attached, what the guest finds by itself
 * passes.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import {
  blockDevicePrefix,
  guestSources,
  isGuestSource,
  isReadOnly,
  parseExtensibleDisk,
  requireHugepages,
} from "../../oci/mounts.ts";
import type { Mount } from "../../oci/spec.gen.ts";
import type { DiskConfig, MountConfig } from "../device/scsi/mod.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import type { ContainerResources } from "./resources.ts";

/** Mount types whose source is a disk, and how the host backs it. */
const diskTypes: Readonly<Record<string, DiskConfig["type"]>> = {
  "virtual-disk": "VirtualDisk",
  "physical-disk": "PassThru",
  "extensible-virtual-disk": "ExtensibleVirtualDisk",
};

/**
 * Refuses mounts that need a directory or a file of the host.
 *
 * @throws {ShimError} NotImplemented naming the first one.
 */
export function refuseHostMounts(mounts: readonly Mount[]): void {
  for (const { destination, type, source = "" } of mounts) {
    if (type !== "bind" || source === "" || isGuestSource(source)) continue;
    if (source.startsWith(guestSources.hugepages)) continue;
    throw new ShimError(
      "NotImplemented",
      `Cannot mount "${source}" at "${destination}": sharing directories and files of the host is not supported; use a disk or a sandbox:// source`,
    );
  }
}

/** @throws {ShimError} InvalidArgument naming a mount that cannot be right. */
function requireValid({ destination, type = "", source = "" }: Mount): void {
  if (source === "" || destination === "") {
    throw new ShimError(
      "InvalidArgument",
      `Invalid mount of type "${type}" from "${source}" to "${destination}": both source and destination are required`,
    );
  }
  if (type === "bind" && source.startsWith(guestSources.hugepages)) {
    requireHugepages(source);
  }
}

async function diskOf(
  { files }: Pick<ContainerDependencies, "files">,
  type: DiskConfig["type"],
  mount: Mount,
): Promise<DiskConfig> {
  const readOnly = isReadOnly(mount);
  const source = mount.source ?? "";
  if (type !== "ExtensibleVirtualDisk") {
    return { hostPath: await files.resolve(source), type, readOnly };
  }
  const evd = parseExtensibleDisk(source);
  const hostPath = await files.resolve(evd.path);
  return { hostPath, type, readOnly, evdType: evd.type };
}

/**
 * Makes the mounts of a container, in their order.
 *
 * @param deps Host and guest.
 * @param runtimeId Who is granted access to disks.
 * @param mounts Without those that {@linkcode refuseHostMounts} refuses.
 * @param resources Takes everything that is acquired, also when this fails.
 * @param signal Ends it between two steps.
 * @returns The mounts in terms of the guest.
 */
export async function makeMounts(
  deps: ContainerDependencies,
  runtimeId: string,
  mounts: readonly Mount[],
  resources: ContainerResources,
  signal?: AbortSignal,
): Promise<Mount[]> {
  const result: Mount[] = [];
  for (const mount of mounts) {
    requireValid(mount);
    const type = diskTypes[mount.type ?? ""];
    if (type === undefined) {
      result.push(mount);
      continue;
    }
    const disk = await diskOf(deps, type, mount);
    // The provider of an extensible disk opens it, not the VM.
    if (type !== "ExtensibleVirtualDisk") {
      await deps.compute.grantAccess(runtimeId, disk.hostPath);
    }
    const blockDev = mount.destination.startsWith(blockDevicePrefix);
    const config: MountConfig = {
      partition: 0,
      readOnly: disk.readOnly,
      options: mount.options ?? [],
      blockDev,
    };
    const source = await resources.mapDisk(
      deps.scsi,
      "disk",
      disk,
      config,
      signal,
    );
    // The guest takes the prefix off the destination of a block device.
    result.push({ ...mount, source, type: blockDev ? "bind" : "none" });
  }
  return result;
}
