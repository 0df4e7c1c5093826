/**
 * Mounting the disks of the host (`spec/guest-runtime.md` 14.1).
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { MappedVirtualDisk } from "../../bridge/messages.gen.ts";
import { bindMount, mount, MountFlag } from "../../ffi/linux/mount.ts";
import { Rollback } from "../rollback.ts";
import type { ScsiAddress } from "./scsi_device.ts";
import { removeTree, unmountAll } from "./unmount.ts";

/** What mounting a disk needs; tests replace single functions. */
export interface ScsiPorts {
  /** Finds the device of an address. */
  readonly find: (address: ScsiAddress) => Promise<string>;
  /** mount(2). */
  readonly mount: typeof mount;
  /** Binds a directory over another. */
  readonly bind: typeof bindMount;
  /** True for a device that is a directory. */
  readonly isDirectory: (device: string) => Promise<boolean>;
  /** `ext4`, `erofs` or undefined, by the superblock. */
  readonly probe: (device: string) => Promise<string | undefined>;
  /** Makes a file system; the program is searched on PATH. */
  readonly format: (program: string, args: string[]) => Promise<void>;
  /** Makes a folder with those above it. */
  readonly makeFolder: (path: string, mode: number) => Promise<void>;
  /** Removes a tree; a missing one is a success. */
  readonly removeTree: (path: string) => Promise<void>;
}

/** Offset, bytes and name of the superblocks that are told apart. */
const superblocks: readonly (readonly [
  offset: number,
  magic: readonly number[],
  name: string,
])[] = [
  [1024 + 56, [0x53, 0xef], "ext4"], // s_magic 0xEF53 of ext2, ext3 and ext4
  [1024, [0xe2, 0xe1, 0xf5, 0xe0], "erofs"], // EROFS_SUPER_MAGIC_V1
];

/** The file system of a device, by its superblock. */
export async function probeFileSystem(
  device: string,
): Promise<string | undefined> {
  const file = await Deno.open(device);
  try {
    for (const [offset, magic, name] of superblocks) {
      const bytes = new Uint8Array(magic.length);
      await file.seek(offset, Deno.SeekMode.Start);
      const n = await file.read(bytes);
      if (n === magic.length && magic.every((byte, i) => bytes[i] === byte)) {
        return name;
      }
    }
    return undefined;
  } finally {
    file.close();
  }
}

/** The kernel, the file system and `find`; `format` starts programs. */
export function scsiPorts(
  find: ScsiPorts["find"],
  format: ScsiPorts["format"],
): ScsiPorts {
  return {
    find,
    format,
    mount,
    bind: bindMount,
    isDirectory: async (device) => (await Deno.stat(device)).isDirectory,
    probe: probeFileSystem,
    makeFolder: (path, mode) => Deno.mkdir(path, { recursive: true, mode }),
    removeTree,
  };
}

/** How a file system is made. */
const formatters: Readonly<
  Record<string, (device: string) => [program: string, args: string[]]>
> = {
  ext4: (device) => ["mkfs.ext4", [device]],
  xfs: (device) => ["mkfs.xfs", ["-f", device]],
};

/** Words among the options of a mount that change its propagation. */
const propagations: Readonly<Record<string, bigint>> = {
  private: MountFlag.Private,
  shared: MountFlag.Shared,
  slave: MountFlag.Slave,
  unbindable: MountFlag.Unbindable,
  rprivate: MountFlag.Private | MountFlag.Recursive,
  rshared: MountFlag.Shared | MountFlag.Recursive,
  rslave: MountFlag.Slave | MountFlag.Recursive,
  runbindable: MountFlag.Unbindable | MountFlag.Recursive,
};

/** A disk may carry its file system a moment later than its node. */
const probeRetry = 500;

/** Mounts and unmounts disks. */
export class ScsiMounts {
  readonly #ports: ScsiPorts;
  readonly #clock: Clock;
  readonly #log: Logger;

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

  #find(disk: MappedVirtualDisk): Promise<string> {
    return this.#ports.find({
      controller: disk.Controller ?? 0,
      lun: disk.Lun ?? 0,
      partition: disk.Partition ?? 0n,
    });
  }

  /**
   * Mounts a disk. Without a mount path it only waits until it is there.
   *
   * @throws {ShimError} When the disk, its file system or the mount is not
   * right; nothing stays behind.
   */
  async add(disk: MappedVirtualDisk): Promise<void> {
    if (disk.Encrypted) {
      throw new ShimError(
        "NotImplemented",
        `Cannot mount SCSI disk ${disk.Controller ?? 0}:${disk.Lun ?? 0}: ` +
          "encrypted disks are not supported",
      );
    }
    const device = await this.#find(disk);
    const { MountPath: target = "" } = disk;
    if (target === "") return;
    if (disk.BlockDev) return await this.#link(device, target);
    await this.#ports.makeFolder(target, 0o700);
    try {
      if (await this.#ports.isDirectory(device)) {
        await this.#ports.bind(device, target, { readOnly: !!disk.ReadOnly });
      } else {
        await this.#mount(device, target, disk);
      }
      await this.#propagate(target, disk.Options ?? []);
    } catch (error) {
      const rollback = new Rollback(this.#log);
      rollback.add(`mount ${target}`, async () => {
        await unmountAll(target, { log: this.#log });
        await this.#ports.removeTree(target);
      });
      await rollback.run();
      throw error;
    }
  }

  async #link(device: string, path: string): Promise<void> {
    await this.#ports.makeFolder(path.replace(/\/[^/]*$/, ""), 0o700);
    await Deno.symlink(device, path);
  }

  async #mount(
    device: string,
    target: string,
    disk: MappedVirtualDisk,
  ): Promise<void> {
    const { Filesystem: wanted = "", EnsureFilesystem } = disk;
    const found = await this.#probe(device, wanted);
    if (EnsureFilesystem && found !== wanted) {
      await this.#format(device, wanted);
    }
    const type = wanted === "" ? found! : wanted;
    const flags = disk.ReadOnly ? MountFlag.ReadOnly : 0n;
    // `noload`: the journal of a read-only ext4 is not replayed.
    const data = disk.ReadOnly && type === "ext4" ? "noload" : "";
    await this.#ports.mount({ source: device, target, type, flags, data });
  }

  async #probe(device: string, wanted: string): Promise<string | undefined> {
    const first = await this.#ports.probe(device);
    if (first !== undefined || wanted !== "") return first;
    await this.#clock.sleep(probeRetry);
    const second = await this.#ports.probe(device);
    if (second !== undefined) return second;
    throw new ShimError(
      "FailedPrecondition",
      `Cannot mount "${device}": it holds no known file system; ` +
        "format it as ext4, or name its file system",
    );
  }

  async #format(device: string, type: string): Promise<void> {
    const formatter = formatters[type];
    if (formatter === undefined) {
      throw new ShimError(
        "InvalidArgument",
        `Cannot format "${device}": unsupported file system "${type}"`,
      );
    }
    await this.#ports.format(...formatter(device));
  }

  async #propagate(target: string, options: readonly string[]): Promise<void> {
    for (const option of options) {
      const flags = propagations[option];
      if (flags === undefined) continue;
      await this.#ports.mount({ source: "", target, flags });
    }
  }

  /** Unmounts a disk. One that was never mounted is a success. */
  async remove(disk: MappedVirtualDisk): Promise<void> {
    const { MountPath: target = "" } = disk;
    if (target === "") return;
    if (disk.BlockDev) await this.#ports.removeTree(target);
    else await unmountAll(target, { remove: true, log: this.#log });
  }
}
