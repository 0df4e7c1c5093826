/**
 * What callers say about shares, when two of them mean the same, and the
 * documents that say it to host and guest.
 *
 * @module
 */

import { MappedDirectory } from "../../../bridge/messages.gen.ts";
import { Plan9Share } from "../../../hcs/documents.gen.ts";
import type { GuestChange, HostChange } from "../peers.ts";

/** vsock port on which the host serves files. */
const fileServerPort = 564;

/** Bits of a share's `Flags` (HCS schema 2.1). */
const shareFlags = {
  readOnly: 0x1,
  linuxMetadata: 0x4,
  restrictFileAccess: 0x80,
} as const;

const sharesPath = "VirtualMachine/Devices/Plan9/Shares";

/** A directory of the host that the VM sees. */
export interface ShareConfig {
  /** The directory in the host's flavour; compared exactly. */
  readonly hostPath: string;
  /** Whether the VM may only read it. */
  readonly readOnly: boolean;
  /** Whether only `allowedNames` can be reached. Default false. */
  readonly restrict?: boolean;
  /** Names of files in the directory, for a restricted share. */
  readonly allowedNames?: readonly string[];
}

/** How a share is mounted in the guest. */
export interface ShareMountConfig {
  /** Whether it is mounted read-only. */
  readonly readOnly: boolean;
}

function shareKey(share: ShareConfig): string {
  const names = (share.allowedNames ?? []).map((name) => name.toLowerCase());
  return JSON.stringify([
    share.hostPath,
    share.readOnly,
    share.restrict ?? false,
    names.sort(),
  ]);
}

/**
 * True when both share the same files in the same way; the case and the order
 * of allowed names do not matter.
 */
export function sameShare(a: ShareConfig, b: ShareConfig): boolean {
  return shareKey(a) === shareKey(b);
}

/** True when both mount a share in the same way. */
export function sameShareMount(
  a: ShareMountConfig,
  b: ShareMountConfig,
): boolean {
  return a.readOnly === b.readOnly;
}

/** Where the guest mounts a share. */
export function guestSharePath(name: string): string {
  return `/run/mounts/plan9/${name}`;
}

/** Asks the host to serve a directory under a name. */
export function addRequest(name: string, share: ShareConfig): HostChange {
  return {
    ResourcePath: sharesPath,
    RequestType: "Add",
    Settings: Plan9Share.encode({
      Name: name,
      AccessName: name,
      Path: share.hostPath,
      Port: fileServerPort,
      Flags: shareFlags.linuxMetadata |
        (share.readOnly ? shareFlags.readOnly : 0) |
        (share.restrict ? shareFlags.restrictFileAccess : 0),
      AllowedFiles: [...share.allowedNames ?? []],
    }),
  };
}

/** Asks the host to serve a directory no more. */
export function removeRequest(name: string): HostChange {
  return {
    ResourcePath: sharesPath,
    RequestType: "Remove",
    Settings: Plan9Share.encode({
      Name: name,
      AccessName: name,
      Port: fileServerPort,
    }),
  };
}

/** Asks the guest to mount or unmount a share; both say the same. */
export function mountRequest(
  type: "Add" | "Remove",
  name: string,
  mount: ShareMountConfig,
): GuestChange {
  return {
    ResourceType: "MappedDirectory",
    RequestType: type,
    Settings: MappedDirectory.encode({
      MountPath: guestSharePath(name),
      Port: fileServerPort,
      ShareName: name,
      ReadOnly: mount.readOnly,
    }),
  };
}
