/**
 * Mounting the disks of the host (`spec/guest-runtime.md` 14.1).
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { MappedVirtualDisk } from "../../bridge/messages.gen.ts";
import { bindMount, MountFlag } from "../../ffi/linux/mount.ts";
import type { RunProgram } from "../program.ts";
import { Rollback } from "../rollback.ts";
import type { Crypt } from "./crypt.ts";
import { type DeviceMapper, verityTarget } from "./device_mapper.ts";
import { DevicesBelow } from "./devices_below.ts";
import { format, probeFileSystem, twice } from "./file_system.ts";
import { kernelMounts, type MountPorts } from "./mount_ports.ts";
import { parentOf, refuseLinks, requirePath } from "./paths.ts";
import type { ScsiAddress, ScsiDevice } from "./scsi_device.ts";
import { readVerity, type VerityInfo } from "./verity.ts";

/** What mounting a disk needs; tests replace single functions. */
export interface ScsiPorts extends MountPorts {
  /** Finds the device of an address. */
  readonly find: (
    address: ScsiAddress,
    signal?: AbortSignal,
  ) => Promise<ScsiDevice>;
  /** Binds a directory over another. */
  readonly bind: typeof bindMount;
  /** True for a device that is a directory. */
  readonly isDirectory: (device: string) => Promise<boolean>;
  /** A file system's name or undefined, by the superblock. */
  readonly probe: (device: string) => Promise<string | undefined>;
  /** How a device is verified. */
  readonly verity: typeof readVerity;
  /** Makes and removes verified devices. */
  readonly mapper: Pick<DeviceMapper, "create" | "remove">;
  /** Makes and removes encrypted devices. */
  readonly crypt: Pick<Crypt, "open" | "close">;
  /** Runs a program that makes a file system. */
  readonly run: RunProgram;
}

/** What {@linkcode scsiPorts} cannot take from the kernel alone. */
export type ScsiServices = Pick<
  ScsiPorts,
  "find" | "run" | "mapper" | "crypt"
>;

/** The kernel, the file system and the services given. */
export function scsiPorts(services: ScsiServices, log: Logger): ScsiPorts {
  return {
    ...services,
    ...kernelMounts(log),
    bind: bindMount,
    isDirectory: async (device) => (await Deno.stat(device)).isDirectory,
    probe: probeFileSystem,
    verity: readVerity,
  };
}

/** Words among the options of a mount that change its propagation. */
const propagations: ReadonlyMap<string, bigint> = new Map([
  ["private", MountFlag.Private],
  ["shared", MountFlag.Shared],
  ["slave", MountFlag.Slave],
  ["unbindable", MountFlag.Unbindable],
  ["rprivate", MountFlag.Private | MountFlag.Recursive],
  ["rshared", MountFlag.Shared | MountFlag.Recursive],
  ["rslave", MountFlag.Slave | MountFlag.Recursive],
  ["runbindable", MountFlag.Unbindable | MountFlag.Recursive],
]);

/** Where a disk is attached, for messages and names of devices. */
function addressOf(disk: MappedVirtualDisk): ScsiAddress {
  const { Controller: controller = 0, Lun: lun = 0 } = disk;
  return { controller, lun, partition: disk.Partition ?? 0n };
}

/** How a disk is mounted beside its settings. */
export interface MountOptions {
  /**
   * A read-only disk carries hashes, by which every block is checked. This is
   * told the root hash before anything is made; what it throws ends the mount.
   */
  readonly verify?: (rootHash: string) => Promise<unknown>;
  /** Ends what waits. */
  readonly signal?: AbortSignal | undefined;
}

/** One mount under way. */
interface Attempt {
  readonly disk: MappedVirtualDisk;
  readonly device: ScsiDevice;
  /** Undoes what was done. */
  readonly rollback: Rollback;
  /** Says that a device was made: it goes with the mount, or in the rollback. */
  readonly made: (name: string, remove: () => Promise<void>) => void;
  readonly signal: AbortSignal | undefined;
}

/** Mounts and unmounts disks. */
export class ScsiMounts {
  readonly #ports: ScsiPorts;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #below = new DevicesBelow();

  /** @param options Ports, time, log. */
  constructor(
    options: {
      readonly ports: ScsiPorts;
      readonly clock: Clock;
      readonly log: Logger;
    },
  ) {
    this.#ports = options.ports;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * Waits for a disk.
   *
   * @throws {ShimError} DeadlineExceeded when it does not appear.
   */
  find(disk: MappedVirtualDisk, signal?: AbortSignal): Promise<ScsiDevice> {
    return this.#ports.find(addressOf(disk), signal);
  }

  /**
   * Waits for a disk and mounts it. Without a mount path it only waits.
   *
   * @throws {ShimError} When the disk, its file system or the mount is not
   * right; nothing stays behind.
   */
  async add(
    disk: MappedVirtualDisk,
    options: MountOptions = {},
  ): Promise<void> {
    requireMountable(disk);
    const device = await this.find(disk, options.signal);
    await this.mount(device, disk, options);
  }

  /** Mounts a disk that is there, as {@linkcode ScsiMounts.add} does. */
  async mount(
    device: ScsiDevice,
    disk: MappedVirtualDisk,
    { verify, signal }: MountOptions = {},
  ): Promise<void> {
    const target = requireMountable(disk);
    if (target === "") return;
    await refuseLinks(disk.BlockDev ? parentOf(target) : target);
    let info: VerityInfo | undefined;
    if (verify !== undefined && disk.ReadOnly) {
      info = await this.#ports.verity(device.node);
      await verify(info.rootDigest);
    }
    const rollback = new Rollback(this.#log);
    const devices: (() => Promise<void>)[] = [];
    const made: Attempt["made"] = (name, remove) => {
      devices.push(remove);
      rollback.add(`device ${name}`, remove);
    };
    const attempt = { disk, device, rollback, made, signal };
    try {
      const source = info === undefined
        ? device.node
        : await this.#verified(attempt, info);
      if (disk.BlockDev) await this.#link(source, target);
      else await this.#mountAt(target, source, attempt);
      this.#below.add(target, devices);
    } catch (error) {
      await rollback.run();
      throw error;
    }
  }

  /** Makes a device that checks what is read. @returns Its path. */
  async #verified(attempt: Attempt, info: VerityInfo): Promise<string> {
    const { disk, device, made, signal } = attempt;
    const { mapper } = this.#ports;
    const name = `dm-verity-${deviceName(device, disk)}-${info.rootDigest}`;
    const targets = [verityTarget(device.node, info)];
    const path = await mapper.create(name, targets, { readOnly: true, signal });
    made(name, async () => {
      try {
        await mapper.remove(name);
      } catch (error) {
        // The disk is unmounted: what the host asked for is done.
        const message = messageOf(error);
        this.#log.warn("Verified device is left", { name, error: message });
      }
    });
    return path;
  }

  async #link(source: string, path: string): Promise<void> {
    await this.#ports.makeFolder(parentOf(path), 0o700);
    await Deno.symlink(source, path);
  }

  async #mountAt(
    target: string,
    source: string,
    attempt: Attempt,
  ): Promise<void> {
    const { disk, rollback, signal } = attempt;
    const { makeFolder, removeFolder, isDirectory } = this.#ports;
    if (await makeFolder(target, 0o700)) {
      rollback.add(`folder ${target}`, () => removeFolder(target));
    }
    if (await isDirectory(source)) {
      requireDirectory(source, disk);
      await this.#ports.bind(source, target, { readOnly: !!disk.ReadOnly });
    } else {
      const path = disk.Encrypted
        ? await this.#encrypted(source, attempt)
        : source;
      await this.#mountFileSystem(path, target, disk, signal);
    }
    rollback.add(`mount ${target}`, () => this.#ports.undoMount(target));
    for (const option of disk.Options ?? []) {
      const flags = propagations.get(option);
      if (flags === undefined) continue;
      await this.#ports.mount({ source: "", target, flags });
    }
  }

  /** Makes an encrypted device. @returns Its path. */
  async #encrypted(source: string, attempt: Attempt): Promise<string> {
    const { disk, device, made, signal } = attempt;
    const { crypt } = this.#ports;
    const name = `dm-crypt-${deviceName(device, disk)}`;
    const open = (): Promise<string> => crypt.open(source, name, signal);
    const path = (await twice(open, this.#clock, signal))!;
    made(name, () => crypt.close(name));
    return path;
  }

  async #mountFileSystem(
    source: string,
    target: string,
    disk: MappedVirtualDisk,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { Filesystem: wanted = "", EnsureFilesystem, ReadOnly } = disk;
    const found = disk.Encrypted
      ? undefined
      : await this.#probe(source, wanted, signal);
    if (EnsureFilesystem && found !== wanted) {
      if (ReadOnly) {
        throw new ShimError(
          "InvalidArgument",
          `Cannot format "${source}" as "${wanted}": the disk is read-only`,
        );
      }
      await format(source, wanted, this.#ports.run, signal);
    }
    const type = wanted === "" ? found! : wanted;
    const flags = ReadOnly ? MountFlag.ReadOnly : 0n;
    // `noload`: the journal of a read-only ext4 is not replayed.
    const data = ReadOnly && type === "ext4" ? "noload" : "";
    await this.#ports.mount({ source, target, type, flags, data });
  }

  async #probe(
    device: string,
    wanted: string,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const { probe } = this.#ports;
    if (wanted !== "") return await probe(device);
    const found = await twice(() => probe(device), this.#clock, signal);
    if (found !== undefined) return found;
    throw new ShimError(
      "FailedPrecondition",
      `Cannot mount "${device}": it holds no known file system; ` +
        "format it as ext4, or name its file system",
    );
  }

  /**
   * Unmounts a disk. One that was never mounted is a success, and the disk
   * itself may be gone. (REF looks for the disk first, without a bound.)
   *
   * @throws {ShimError} FailedPrecondition when the path is no link to a device
   * as it should be; EBUSY, or when an encrypted device cannot be closed.
   */
  async remove(disk: MappedVirtualDisk): Promise<void> {
    const { MountPath = "" } = disk;
    if (MountPath === "") return;
    const target = requirePath(MountPath, "MountPath");
    if (disk.BlockDev) await removeLink(target);
    else {
      await this.#ports.unmount(target);
      await this.#ports.removeFolder(target);
    }
    await this.#below.release(target);
  }
}

/** Part of the names of devices that stand on a disk. */
function deviceName(device: ScsiDevice, disk: MappedVirtualDisk): string {
  const { lun, partition } = addressOf(disk);
  return `scsi-contr${device.controller}-lun${lun}-p${partition}`;
}

/**
 * Checks settings before anything is done.
 *
 * @returns The target, empty when nothing is to be mounted.
 */
function requireMountable(disk: MappedVirtualDisk): string {
  const { Controller = 0, Lun = 0, MountPath = "" } = disk;
  const refuse = (reason: string): never => {
    const message = `Cannot mount SCSI disk ${Controller}:${Lun}: ${reason}`;
    throw new ShimError("InvalidArgument", message);
  };
  if (disk.Encrypted && disk.ReadOnly) {
    refuse("what is encrypted anew holds nothing to read only");
  }
  if (disk.Encrypted && !disk.Filesystem) {
    refuse("an encrypted disk needs a Filesystem");
  }
  return MountPath === "" ? "" : requirePath(MountPath, "MountPath");
}

/** A directory stands for a disk that has a file system, and nothing more. */
function requireDirectory(source: string, disk: MappedVirtualDisk): void {
  if (!disk.Encrypted) return;
  throw new ShimError(
    "FailedPrecondition",
    `Cannot encrypt "${source}": it is a directory`,
  );
}

/** Removes a link to a device; a missing one is a success. */
async function removeLink(path: string): Promise<void> {
  try {
    if ((await Deno.lstat(path)).isSymlink) return await Deno.remove(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new ShimError(
    "FailedPrecondition",
    `Cannot remove "${path}": it is no link to a device`,
  );
}
