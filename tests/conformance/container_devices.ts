/**
 * The devices around the container of a recorded case: the real managers, or
 * stand-ins for them.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import { DeviceControllers } from "../../controllers/device/device_controllers.ts";
import type {
  ShareConfig,
  ShareMountConfig,
} from "../../controllers/device/plan9/mod.ts";
import type {
  DiskConfig,
  MountConfig,
} from "../../controllers/device/scsi/mod.ts";
import type { PciFunction } from "../../oci/devices.ts";
import type { CallLog } from "./call_log.ts";
import { objectOf, plain, textOf } from "./json.ts";

/** A device manager, as containers use it. */
export interface Devices<Thing extends unknown[]> {
  reserve(...thing: Thing): Promise<string>;
  map(id: string, signal?: AbortSignal): Promise<string>;
  unmap(id: string): Promise<void>;
}

/** The devices of a VM. */
export interface VmDevices {
  readonly scsi: Devices<[disk: DiskConfig, mount: MountConfig]>;
  readonly plan9: Devices<[share: ShareConfig, mount: ShareMountConfig]>;
  readonly vpci: Devices<[device: PciFunction]>;
}

/** The real device managers; what they say to host and guest is recorded. */
export function realDevices(input: JsonObject, log: CallLog): VmDevices {
  const { bootDisk, noWritableFileShares } = input;
  const modify = (call: string) => (request: unknown): Promise<void> =>
    log.play(call, { request: plain(request) });
  return new DeviceControllers({
    vm: { modify: modify("vm.modify") },
    guest: { modify: modify("guest.modify") },
  }, {
    scsiControllers: 4,
    noWritableFileShares: noWritableFileShares === true,
    bootDisk: bootDisk === undefined ? undefined : {
      hostPath: textOf(objectOf(bootDisk).path),
      readOnly: true,
      type: "VirtualDisk",
    },
  });
}

/** Stand-ins for the managers, as the recording has them: every call succeeds. */
export function standIns(log: CallLog): VmDevices {
  let count = 0;
  const partitions = new Map<string, number>();
  const reserve = async (
    call: string,
    members: JsonObject,
  ): Promise<string> => {
    const id = `00000000-0000-0000-0000-${String(count + 1).padStart(12, "0")}`;
    await log.play(call, members, id);
    count++;
    return id;
  };
  const map = async (
    call: string,
    id: string,
    path: (number: number) => string,
  ): Promise<string> => {
    const returns = path(Number(id.slice(-12)));
    await log.play(call, { id }, returns);
    return returns;
  };
  return {
    scsi: {
      reserve: async (disk, mount) => {
        const id = await reserve("scsi.Reserve", {
          disk: {
            HostPath: disk.hostPath,
            ReadOnly: disk.readOnly,
            Type: disk.type,
            EVDType: disk.evdType ?? "",
          },
          mount: {
            Partition: mount.partition,
            ReadOnly: mount.readOnly,
            Encrypted: mount.encrypted ?? false,
            Options: mount.options?.length ? [...mount.options] : null,
            EnsureFilesystem: mount.ensureFilesystem ?? false,
            Filesystem: mount.filesystem ?? "",
            BlockDev: mount.blockDev ?? false,
          },
        });
        partitions.set(id, mount.partition);
        return id;
      },
      map: (id) =>
        map(
          "scsi.MapToGuest",
          id,
          (number) => `/run/mounts/scsi/0_${number}_${partitions.get(id)}`,
        ),
      unmap: (id) => log.play("scsi.UnmapFromGuest", { id }),
    },
    plan9: {
      reserve: (share, mount) =>
        reserve("plan9.Reserve", {
          share: {
            HostPath: share.hostPath,
            ReadOnly: share.readOnly,
            Restrict: share.restrict ?? false,
            AllowedNames: share.allowedNames?.length
              ? [...share.allowedNames]
              : null,
          },
          mount: { ReadOnly: mount.readOnly },
        }),
      map: (id) =>
        map(
          "plan9.MapToGuest",
          id,
          (number) => `/run/mounts/plan9/${number}`,
        ),
      unmap: (id) => log.play("plan9.UnmapFromGuest", { id }),
    },
    vpci: {
      reserve: ({ instancePath, virtualFunction }) =>
        reserve("vpci.Reserve", {
          device: {
            DeviceInstanceID: instancePath,
            VirtualFunctionIndex: virtualFunction,
          },
        }),
      map: async (id) => {
        await log.play("vpci.AddToVM", { id });
        return id; // the peer's reservation is the device's GUID
      },
      unmap: (id) => log.play("vpci.RemoveFromVM", { id }),
    },
  };
}
