/**
 * What the host mounts in the VM: one function per resource and request of
 * `spec/guest-protocol.md` 7.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type {
  CombinedLayers,
  MappedDirectory,
  MappedVirtualDisk,
  SCSIDevice,
  VPCIDevice,
  VPMemDevice,
} from "../../bridge/messages.gen.ts";
import { requireConfidentialId } from "../policy/ids.ts";
import type { VmPolicy } from "../policy/policy.ts";
import { diskMount, diskUnmount } from "../policy/disks.ts";
import {
  type Change,
  type Confidential,
  requireConfidentialDisk,
  requireConfidentialOverlay,
  requireConfidentialPmem,
  requireConfidentialShare,
} from "./confidential.ts";
import {
  combineLayers,
  type OverlayPorts,
  parseOverlay,
  separateLayers,
} from "./overlay.ts";
import { parentOf, requirePath } from "./paths.ts";
import type { PciDevices } from "./pci.ts";
import type { Plan9Mounts } from "./plan9.ts";
import { type PmemMounts, pmemNode } from "./pmem.ts";
import type { ScsiMounts } from "./scsi.ts";
import type { ScsiDevice, ScsiDevices } from "./scsi_device.ts";

/** What a VM's storage is made of. */
export interface StorageParts {
  /** Finds and unplugs disks. */
  readonly scsiDevices: ScsiDevices;
  /** Mounts disks. */
  readonly scsi: ScsiMounts;
  /** Mounts persistent memory devices. */
  readonly pmem: PmemMounts;
  /** Mounts shares. */
  readonly plan9: Plan9Mounts;
  /** Finds assigned devices. */
  readonly pci: PciDevices;
  /** Mounts overlays. */
  readonly overlay: OverlayPorts;
  /** Guards the mounts of a confidential VM. */
  readonly confidential: Confidential;
  /** Says what may be mounted. */
  readonly policy: Pick<VmPolicy, "ask">;
  /** Lines for the host. */
  readonly log: Logger;
}

/** Who uses what is to be taken apart. */
export interface RootUsers {
  /** True for the root of a container that runs. */
  readonly runsOn: (root: string) => boolean;
  /** True for the bundle of a container, whose end removes it. */
  readonly ownsBundle: (bundle: string) => boolean;
}

/** The storage of a VM. Waits are bounded, and end with `signal`. */
export class GuestStorage {
  readonly #parts: StorageParts;
  /** Bundles with a folder of the scratch bound over them. */
  readonly #boundBundles = new Set<string>();

  /** @param parts What it is made of. */
  constructor(parts: StorageParts) {
    this.#parts = parts;
  }

  /** Guards the mounts of a confidential VM. */
  get confidential(): Confidential {
    return this.#parts.confidential;
  }

  /** Finds assigned devices. */
  get pci(): PciDevices {
    return this.#parts.pci;
  }

  /** Lets the kernel forget a disk. */
  async unplug(device: SCSIDevice, signal: AbortSignal): Promise<void> {
    const { Controller = 0, Lun = 0 } = device;
    await this.#parts.scsiDevices.unplug(Controller, Lun, signal);
  }

  /** Mounts a disk; without a mount path it only waits for it. */
  async addDisk(disk: MappedVirtualDisk, signal: AbortSignal): Promise<void> {
    const { scsi, confidential, policy } = this.#parts;
    confidential.requireConsistent("mount a disk");
    const allow = async (rootHash: string): Promise<void> => {
      const question = diskMount(disk, rootHash);
      if (question !== undefined) await policy.ask(question);
    };
    if (!confidential.isActive) {
      await allow("");
      return await scsi.add(disk, { signal });
    }
    requireConfidentialDisk(disk);
    const device = await scsi.find(disk, signal);
    const step = diskChange("add", disk, device);
    await confidential.mount(
      disk.ReadOnly
        // Allowed by the very hash that the device then has.
        ? {
          ...step,
          run: () => scsi.mount(device, disk, { verify: allow, signal }),
        }
        : {
          ...step,
          allow: () => allow(""),
          run: () => scsi.mount(device, disk, { signal }),
        },
    );
  }

  /** Unmounts a disk. */
  async removeDisk(
    disk: MappedVirtualDisk,
    signal: AbortSignal,
  ): Promise<void> {
    const { scsi, confidential, policy } = this.#parts;
    confidential.requireConsistent("unmount a disk");
    const question = diskUnmount(disk);
    const allow = async (): Promise<void> => {
      if (question === undefined) return;
      await policy.ask(question);
      if (confidential.isActive) await requireExisting(question.path);
    };
    const run = (): Promise<void> => scsi.remove(disk);
    if (!confidential.isActive) {
      return await confidential.unmount({ allow, run });
    }
    const device = await scsi.find(disk, signal);
    const step = diskChange("remove", disk, device);
    await confidential.unmount({ ...step, allow, run });
  }

  /** Mounts a share. */
  async addShare(share: MappedDirectory, signal: AbortSignal): Promise<void> {
    const { plan9, confidential, policy } = this.#parts;
    confidential.requireConsistent("mount a share");
    if (confidential.isActive) requireConfidentialShare(share);
    const path = requirePath(share.MountPath ?? "", "MountPath");
    await confidential.mount({
      allow: () => policy.ask({ name: "plan9 mount", path }),
      run: () => plan9.add(share, signal),
    });
  }

  /** Unmounts a share. */
  async removeShare(share: MappedDirectory): Promise<void> {
    const { plan9, confidential, policy } = this.#parts;
    confidential.requireConsistent("unmount a share");
    const path = requirePath(share.MountPath ?? "", "MountPath");
    await confidential.unmount({
      allow: () => policy.ask({ name: "plan9 unmount", path }),
      run: () => plan9.remove(share),
    });
  }

  /** Mounts a persistent memory device. */
  async addPmem(device: VPMemDevice, signal: AbortSignal): Promise<void> {
    const { pmem, confidential, policy } = this.#parts;
    confidential.requireConsistent("mount a persistent memory device");
    const path = requirePath(device.MountPath ?? "", "MountPath");
    const allow = (rootHash: string): Promise<unknown> =>
      policy.ask({ name: "device mount", path, rootHash });
    if (!confidential.isActive) {
      await allow("");
      return await pmem.add(device, { signal });
    }
    requireConfidentialPmem(device);
    await confidential.mount({
      change: (mounts) => mounts.addReadOnly(path, pmemNode(device)),
      run: () => pmem.add(device, { verify: allow, signal }),
    });
  }

  /** Unmounts a persistent memory device. */
  async removePmem(device: VPMemDevice): Promise<void> {
    const { pmem, confidential, policy } = this.#parts;
    confidential.requireConsistent("unmount a persistent memory device");
    const path = requirePath(device.MountPath ?? "", "MountPath");
    await confidential.unmount({
      path,
      allow: () => policy.ask({ name: "device unmount", path }),
      change: (mounts) => mounts.removeReadOnly(path, pmemNode(device)),
      run: () => pmem.remove(device),
    });
  }

  /** Waits for an assigned PCI device. */
  async addPci(device: VPCIDevice, signal: AbortSignal): Promise<void> {
    await this.#parts.pci.find(device.VMBusGUID ?? "", signal);
  }

  /** Combines layers and scratch at a container's root. */
  async combine(settings: CombinedLayers): Promise<void> {
    const { confidential, log, policy } = this.#parts;
    confidential.requireConsistent("combine layers");
    const overlay = parseOverlay(settings);
    const { ContainerID: id = "" } = settings;
    if (confidential.isActive) {
      requireConfidentialId("container", id);
      requireConfidentialOverlay(overlay, id, confidential.containers);
    }
    const { root, layers, scratch } = overlay;
    await confidential.mount({
      allow: async () => {
        if (scratch !== "") {
          const encrypted = confidential.isEncrypted(scratch);
          await policy.ask({ name: "scratch mount", path: scratch, encrypted });
        }
        await policy.ask({ name: "overlay mount", path: root, id, layers });
      },
      change: (mounts) => mounts.addOverlay(root, layers, scratch),
      run: async () => {
        const bundle = await combineLayers(overlay, log, this.#parts.overlay);
        if (bundle !== undefined) this.#boundBundles.add(bundle);
      },
    });
  }

  /**
   * Takes the root of a container apart, and its bundle when no container was
   * made in it.
   */
  async separate(settings: CombinedLayers, users: RootUsers): Promise<void> {
    const { confidential, overlay, policy } = this.#parts;
    confidential.requireConsistent("remove layers");
    const { root } = parseOverlay({
      ContainerRootPath: settings.ContainerRootPath ?? "",
    });
    await confidential.unmount({
      path: root,
      allow: async () => {
        await policy.ask({ name: "overlay unmount", path: root });
        if (!confidential.isActive || !users.runsOn(root)) return;
        throw new ShimError(
          "FailedPrecondition",
          `Cannot remove layers at "${root}": a running container uses them`,
        );
      },
      change: (mounts) => mounts.removeOverlay(root),
      run: async () => {
        const bundle = parentOf(root);
        const alone = this.#boundBundles.has(bundle) &&
          !users.ownsBundle(bundle);
        await separateLayers(root, alone ? bundle : undefined, overlay);
        this.#boundBundles.delete(bundle);
      },
    });
  }
}

/** How the record changes with a disk; a link to a device is not recorded. */
function diskChange(
  kind: "add" | "remove",
  disk: MappedVirtualDisk,
  { node }: ScsiDevice,
): { readonly path: string; readonly change: Change } | undefined {
  const { MountPath: path = "", ReadOnly, BlockDev, Encrypted } = disk;
  if (path === "" || BlockDev) return undefined;
  const encrypted = Encrypted ?? false;
  const changes: Record<typeof kind, [readOnly: Change, readWrite: Change]> = {
    add: [
      (mounts) => mounts.addReadOnly(path, node),
      (mounts) => mounts.addReadWrite(path, node, encrypted),
    ],
    remove: [
      (mounts) => mounts.removeReadOnly(path, node),
      (mounts) => mounts.removeReadWrite(path, node, encrypted),
    ],
  };
  const [readOnly, readWrite] = changes[kind];
  return { path, change: ReadOnly ? readOnly : readWrite };
}

/** @throws {ShimError} NotFound. */
async function requireExisting(place: string): Promise<void> {
  try {
    await Deno.lstat(place);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    const message = `Cannot unmount "${place}": it does not exist`;
    throw new ShimError("NotFound", message, { cause });
  }
}
