/**
 * The calls of a container by their names, as a model foretells them.
 *
 * @module
 */

import type { FakeCall } from "../../bridge/fake_guest.ts";
import type { LayerSet } from "../../hcs/ports.ts";
import type { ContainerCalls } from "./container_model.ts";
import { virtualDisk } from "./container_world.ts";

/** One read-only layer and a scratch disk. */
export const oneLayer: LayerSet = {
  readOnly: [virtualDisk("/layers/a.vhd")],
  scratch: virtualDisk("/layers/s.vhdx"),
};

/** The calls for one disk: attach and mount; unmount, eject and detach. */
function disk(lun: number): {
  acquire: [call: string, ...undo: string[]][];
  release: string[];
} {
  const unmount = `Remove MappedVirtualDisk ${lun}`;
  const eject = `Remove SCSIDevice ${lun}`;
  const detach = `vm Remove ${lun}`;
  return {
    acquire: [
      [`vm Add ${lun}`, eject, detach],
      [`Add MappedVirtualDisk ${lun}`, unmount],
    ],
    release: [unmount, eject, detach],
  };
}

const [layer, scratch] = [disk(0), disk(1)];

/** The calls of a container with {@linkcode oneLayer}, alone in its VM. */
export const callsOfCreate: ContainerCalls = {
  acquire: [
    ...layer.acquire,
    ["grantAccess"],
    ...scratch.acquire,
    ["Add CombinedLayers", "Remove CombinedLayers"],
    ["createContainer", "deleteContainerState"],
  ],
  release: [
    "Remove CombinedLayers",
    "deleteContainerState",
    ...scratch.release,
    ...layer.release,
  ],
};

interface Change {
  readonly RequestType: string;
  readonly ResourceType: string;
  readonly ResourcePath: string;
  readonly Settings: { readonly Lun?: number };
}

/** The name of a change that the VM is asked for. */
export function hostCallName(request: unknown): string {
  const { RequestType, ResourcePath } = request as Change;
  return `vm ${RequestType} ${ResourcePath.split("/").at(-1)}`;
}

/**
 * The name of a call to the guest. An exec runs a program of its own name.
 *
 * @param call The call.
 * @param processOf The name of a process.
 */
export function callName(
  { call, argument }: FakeCall,
  processOf: (pid: number) => string | undefined,
): string {
  switch (call) {
    case "modify": {
      const { RequestType, ResourceType, Settings } = argument as Change;
      const isDisk = /Disk|SCSI/.test(ResourceType);
      const lun = isDisk ? ` ${Settings.Lun ?? 0}` : "";
      return `${RequestType} ${ResourceType}${lun}`;
    }
    case "execute": {
      const { parameters } = argument as {
        parameters: { OciProcess?: { args: string[] } };
      };
      return `${parameters.OciProcess?.args[0] ?? "init"} execute`;
    }
    case "signal": {
      const { pid } = argument as { pid: number };
      return `${processOf(pid)} signal`;
    }
  }
  return call;
}
