/**
 * The root file system of a container: disks for its layers, joined in the
 * guest.
 *
 * @module
 */

import {
  CombinedLayers,
  type ModifyRequest,
} from "../../bridge/messages.gen.ts";
import type { Disk, LayerSet } from "../../hcs/ports.ts";
import type { DiskConfig, MountConfig } from "../device/scsi/mod.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { type GuestIds, guestRootfs, guestScratch } from "./paths.ts";
import type { ContainerResources } from "./resources.ts";

/** A layer in the guest. */
const layerMount = { readOnly: true, options: ["ro"] } as const;

function scratchMount(isEncrypted: boolean): MountConfig {
  return {
    partition: 0,
    readOnly: false,
    encrypted: isEncrypted,
    ensureFilesystem: true,
    filesystem: isEncrypted ? "xfs" : "ext4",
  };
}

/** Asks the guest to join layers, or to take them apart; both say the same. */
export function layersRequest(
  type: "Add" | "Remove",
  layers: CombinedLayers,
): ModifyRequest {
  return {
    ResourceType: "CombinedLayers",
    RequestType: type,
    Settings: CombinedLayers.encode(layers),
  };
}

/**
 * Attaches the layers and joins them to the root file system.
 *
 * @param deps Host and guest.
 * @param runtimeId Who is granted access to the writable disk.
 * @param ids The container in the guest.
 * @param layers Its disks.
 * @param resources Takes everything that is acquired, also when this fails.
 * @param signal Ends it between two steps.
 * @returns The writable directory of the container in the guest.
 */
export async function joinLayers(
  deps: ContainerDependencies,
  runtimeId: string,
  ids: GuestIds,
  layers: LayerSet,
  resources: ContainerResources,
  signal?: AbortSignal,
): Promise<string> {
  const { scsi, files, compute, guest } = deps;
  const resolve = async (
    disk: Disk,
  ): Promise<Omit<DiskConfig, "readOnly">> => ({
    hostPath: await files.resolve(disk.path),
    type: disk.type,
  });

  const paths: string[] = [];
  for (const layer of layers.readOnly) {
    // Who may read layers is the snapshotter's business: it grants all VMs.
    const disk = { ...await resolve(layer), readOnly: true };
    const mount = { ...layerMount, partition: layer.partition };
    const { hostPath } = disk;
    paths.push(
      await resources.map("layer", hostPath, scsi, [disk, mount], signal),
    );
  }

  const disk = { ...await resolve(layers.scratch), readOnly: false };
  await compute.grantAccess(runtimeId, disk.hostPath);
  const mount = scratchMount(deps.scratchEncryption ?? false);
  const mounted = await resources.map(
    "scratch",
    disk.hostPath,
    scsi,
    [disk, mount],
    signal,
  );
  const scratch = guestScratch(mounted, ids);
  const joined: CombinedLayers = {
    ContainerID: ids.containerId,
    ContainerRootPath: guestRootfs(ids),
    Layers: paths.map((path) => ({ Path: path })),
    ScratchPath: scratch,
  };

  signal?.throwIfAborted();
  await guest.modify(layersRequest("Add", joined));
  resources.add(
    "combined layers",
    guestRootfs(ids),
    () => guest.modify(layersRequest("Remove", joined)),
  );
  return scratch;
}
