/**
 * What callers say about disks and mounts, when two of them mean the same, and
 * the documents that say it to host and guest.
 *
 * @module
 */

import { MappedVirtualDisk, SCSIDevice } from "../../../bridge/messages.gen.ts";
import { scsiControllerIds } from "../../../bridge/places.ts";
import { ScsiAttachment } from "../../../hcs/documents.gen.ts";
import type { GuestChange, HostChange } from "../peers.ts";

/** Logical units of one controller. */
export const lunsPerController = 64;

/** How the host backs a disk. */
export type DiskType = "VirtualDisk" | "PassThru" | "ExtensibleVirtualDisk";

/** A disk as the host knows it. */
export interface DiskConfig {
  /** Final path in the host's flavour; compared exactly. */
  readonly hostPath: string;
  /** Whether the VM may only read it. */
  readonly readOnly: boolean;
  /** How the host backs it. */
  readonly type: DiskType;
  /** Provider of an extensible virtual disk. */
  readonly evdType?: string;
}

/** How a partition is mounted in the guest. Absent members are false or empty. */
export interface MountConfig {
  /** Partition; 0 is the whole disk. */
  readonly partition: number;
  /** Whether it is mounted read-only. */
  readonly readOnly: boolean;
  /** dm-crypt with a key of the guest's own. */
  readonly encrypted?: boolean;
  /** Mount options. */
  readonly options?: readonly string[];
  /** Format when the disk has another file system. */
  readonly ensureFilesystem?: boolean;
  /** `ext4` or `xfs`. */
  readonly filesystem?: string;
  /** A link to the block device instead of a mount. */
  readonly blockDev?: boolean;
}

/** Where a disk is: the controller's index and the unit on it. */
export interface Address {
  /** Index of the controller, 0 to 3. */
  readonly controller: number;
  /** Unit, 0 to 63. */
  readonly lun: number;
}

/** True when both describe the same disk. */
export function sameDisk(a: DiskConfig, b: DiskConfig): boolean {
  return a.hostPath === b.hostPath && a.readOnly === b.readOnly &&
    a.type === b.type && (a.evdType ?? "") === (b.evdType ?? "");
}

function mountKey(mount: MountConfig): string {
  const options = (mount.options ?? []).map((option) => option.toLowerCase());
  return JSON.stringify([
    mount.readOnly,
    mount.encrypted ?? false,
    options.sort(),
    mount.ensureFilesystem ?? false,
    mount.filesystem ?? "",
    mount.blockDev ?? false,
  ]);
}

/**
 * True when both mount a partition in the same way; the case and the order of
 * options do not matter.
 */
export function sameMount(a: MountConfig, b: MountConfig): boolean {
  return mountKey(a) === mountKey(b);
}

/** Where the guest mounts a partition. */
export function guestMountPath(
  { controller, lun }: Address,
  partition: number,
): string {
  return `/run/mounts/scsi/${controller}_${lun}_${partition}`;
}

function attachmentPath({ controller, lun }: Address): string {
  const id = scsiControllerIds[controller];
  return `VirtualMachine/Devices/Scsi/${id}/Attachments/${lun}`;
}

/** The attachment of a disk, as HCS documents have it. */
export function attachmentOf(disk: DiskConfig): ScsiAttachment {
  return {
    Type: disk.type,
    Path: disk.hostPath,
    ReadOnly: disk.readOnly,
    ...(disk.evdType ? { ExtensibleVirtualDiskType: disk.evdType } : {}),
  };
}

/** Asks the host to attach a disk. */
export function attachRequest(address: Address, disk: DiskConfig): HostChange {
  return {
    ResourcePath: attachmentPath(address),
    RequestType: "Add",
    Settings: ScsiAttachment.encode(attachmentOf(disk)),
  };
}

/** Asks the host to take a disk away. */
export function removeRequest(address: Address): HostChange {
  return { ResourcePath: attachmentPath(address), RequestType: "Remove" };
}

/** Asks the guest to let go of a disk before it is taken away. */
export function ejectRequest(address: Address): GuestChange {
  return {
    ResourceType: "SCSIDevice",
    RequestType: "Remove",
    Settings: SCSIDevice.encode({
      Controller: address.controller,
      Lun: address.lun,
    }),
  };
}

/** Asks the guest to mount or unmount a partition; both repeat everything. */
export function mountRequest(
  type: "Add" | "Remove",
  address: Address,
  mount: MountConfig,
): GuestChange {
  return {
    ResourceType: "MappedVirtualDisk",
    RequestType: type,
    Settings: MappedVirtualDisk.encode({
      MountPath: guestMountPath(address, mount.partition),
      Lun: address.lun,
      Controller: address.controller,
      Partition: BigInt(mount.partition),
      ReadOnly: mount.readOnly,
      Encrypted: mount.encrypted ?? false,
      Options: [...mount.options ?? []],
      BlockDev: mount.blockDev ?? false,
      EnsureFilesystem: mount.ensureFilesystem ?? false,
      Filesystem: mount.filesystem ?? "",
    }),
  };
}
