/**
 * Everything of a container that must be there before its start.
 *
 * @module
 */

import { HResultError } from "../../base/hresult.ts";
import type { GuestContainer } from "../../bridge/guest.ts";
import type { ContainerDocument } from "../../bridge/messages.gen.ts";
import type { LayerSet } from "../../hcs/ports.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import type { ContainerDependencies, ContainerIds } from "./dependencies.ts";
import { assignDevices } from "./devices.ts";
import { containerDocument } from "./document.ts";
import { joinLayers } from "./layers.ts";
import { makeMounts } from "./mounts.ts";
import type { ContainerResources } from "./resources.ts";

/**
 * The guest keeps state from the moment on in which it hears of the container;
 * but a container that it knew already is not ours to delete.
 */
async function createInGuest(
  { guest }: Pick<ContainerDependencies, "guest">,
  id: string,
  document: ContainerDocument,
  held: ContainerResources,
  signal?: AbortSignal,
): Promise<GuestContainer> {
  const hold = (): void =>
    held.add("guest state", id, () => guest.deleteContainerState(id));
  try {
    const container = await guest.createContainer(id, document, signal);
    hold();
    return container;
  } catch (error) {
    const wasHeard = error instanceof HResultError &&
      error.code !== "AlreadyExists";
    if (wasHeard) hold();
    throw error;
  }
}

/**
 * Gives the VM what the container needs (layers, disks, shares, devices), and
 * creates the container in the guest.
 *
 * @param deps Host and guest.
 * @param ids Which container it is.
 * @param spec Its specification; left alone.
 * @param layers The disks of its root file system.
 * @param held Takes everything that is acquired, also when this fails.
 * @param signal Ends it between two steps.
 * @returns The container in the guest.
 */
export async function acquireContainer(
  deps: ContainerDependencies,
  ids: ContainerIds,
  spec: Spec,
  layers: LayerSet,
  held: ContainerResources,
  signal?: AbortSignal,
): Promise<GuestContainer> {
  const { containerId, runtimeId } = ids;
  const scratch = await joinLayers(
    deps,
    runtimeId,
    ids,
    layers,
    held,
    signal,
  );
  const { mounts, windows } = spec;
  const wanted: Spec = { ...spec };
  if (mounts !== undefined) {
    wanted.mounts = await makeMounts(deps, runtimeId, mounts, held, signal);
  }
  if (windows?.devices !== undefined) {
    const devices = await assignDevices(deps, windows.devices, held, signal);
    wanted.windows = { ...windows, devices };
  }
  const document = containerDocument(wanted, ids, scratch);
  return await createInGuest(deps, containerId, document, held, signal);
}
