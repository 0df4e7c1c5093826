/**
 * The mounts of a container: disks are attached, directories and files of the host
 * are shared, what the guest finds by itself passes.
 *
 * @module
 */

import { classify, messageOf, ShimError } from "../../base/errors.ts";
import {
  blockDevicePrefix,
  guestSources,
  isGuestSource,
  isReadOnly,
  parseExtensibleDisk,
  requireHugepages,
} from "../../oci/mounts.ts";
import type { Mount } from "../../oci/spec.gen.ts";
import { planShare, type SharePlan } from "../device/plan9/mod.ts";
import type { DiskConfig, MountConfig } from "../device/scsi/mod.ts";
import type { ContainerDependencies, HostShares } from "./dependencies.ts";
import type { ContainerResources } from "./resources.ts";

/** Mount types whose source is a disk, and how the host backs it. */
const diskTypes: Readonly<Record<string, DiskConfig["type"]>> = {
  "virtual-disk": "VirtualDisk",
  "physical-disk": "PassThru",
  "extensible-virtual-disk": "ExtensibleVirtualDisk",
};

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

/** True for a directory or a file of the host. */
function isHostMount({ type, source = "" }: Mount): boolean {
  return type === "bind" && !isGuestSource(source) &&
    !source.startsWith(guestSources.hugepages);
}

/** @throws {ShimError} Naming the mount whose source is nothing. */
async function planMount(
  files: HostShares["files"],
  mount: Mount,
): Promise<SharePlan> {
  const { source = "", destination } = mount;
  try {
    return await planShare(files, source, isReadOnly(mount));
  } catch (cause) {
    throw new ShimError(
      classify(cause),
      `Cannot mount "${source}" at "${destination}": ${messageOf(cause)}`,
      { cause },
    );
  }
}

async function mountShare(
  { shares }: Pick<ContainerDependencies, "shares">,
  mount: Mount,
  resources: ContainerResources,
  signal?: AbortSignal,
): Promise<Mount> {
  if (shares === undefined) {
    throw new ShimError(
      "NotImplemented",
      `Cannot mount "${mount.source}" at "${mount.destination}": this VM has no file shares; use a disk or a sandbox:// source`,
    );
  }
  const { share, file } = await planMount(shares.files, mount);
  const shared = await resources.map(
    "share",
    mount.source ?? "",
    shares.plan9,
    [share, { readOnly: share.readOnly }],
    signal,
  );
  return {
    ...mount,
    source: file === undefined ? shared : `${shared}/${file}`,
  };
}

async function mountDisk(
  deps: ContainerDependencies,
  runtimeId: string,
  type: DiskConfig["type"],
  mount: Mount,
  resources: ContainerResources,
  signal?: AbortSignal,
): Promise<Mount> {
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
  const source = await resources.map(
    "disk",
    disk.hostPath,
    deps.scsi,
    [disk, config],
    signal,
  );
  // The guest takes the prefix off the destination of a block device.
  return { ...mount, source, type: blockDev ? "bind" : "none" };
}

/**
 * Makes the mounts of a container, in their order.
 *
 * A single file becomes `<share>/<name>`. (The peer leaves the name out, so that
 * the container gets the directory around its file.)
 *
 * @param deps Host and guest.
 * @param runtimeId Who is granted access to disks.
 * @param mounts As the specification has them.
 * @param resources Takes everything that is acquired, also when this fails.
 * @param signal Ends it between two steps.
 * @returns The mounts in terms of the guest.
 * @throws {ShimError} InvalidArgument for a mount that cannot be right, NotFound
 * for a source that is not there, NotImplemented for what this VM does not have;
 * else what host or guest answered.
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
    if (type !== undefined) {
      result.push(
        await mountDisk(deps, runtimeId, type, mount, resources, signal),
      );
    } else if (isHostMount(mount)) {
      result.push(await mountShare(deps, mount, resources, signal));
    } else result.push(mount);
  }
  return result;
}
