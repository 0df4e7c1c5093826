/**
 * The SCSI disks of a running machine: nodes in its `/dev` and entries in its
 * `/sys/bus`, where the agent looks for them.
 *
 * A directory as a disk is a symbolic link in `/dev`, which the agent binds
 * instead of mounting; an image is a loop device.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import type { ScsiAttachment } from "../hcs/documents.gen.ts";
import { runTool } from "./command.ts";
import { refusal } from "./hresults.ts";
import { attachLoop, deviceNumber, type LoopDevice } from "./loops.ts";

/** Where the machine has the computer's root. */
const hostRoot = "/.host";

interface AttachedDisk {
  /** Name in `/dev`, for example `sda`. */
  readonly name: string;
  /** The image, when it is one. */
  readonly image?: string;
  readonly loop?: LoopDevice;
}

/** `sda` … `sdz`, `sdaa` …, as the kernel counts. */
export function diskName(index: number): string {
  const letter = String.fromCharCode(97 + index % 26);
  const rest = Math.floor(index / 26);
  return rest === 0 ? `sd${letter}` : `${diskName(rest - 1)}${letter}`;
}

/** The disks of one machine. Calls come one after another. */
export class ScsiBus {
  readonly #controllers: readonly string[];
  readonly #announce: (images: readonly string[]) => Promise<void>;
  /** By `controller:lun`. */
  readonly #disks = new Map<string, AttachedDisk>();
  /** The machine's root, seen from outside. */
  #root = "";

  /**
   * @param controllers GUIDs, lower case; the index is the guest's host number.
   * @param announce Told all images before one becomes a loop device.
   */
  constructor(
    controllers: readonly string[],
    announce: (images: readonly string[]) => Promise<void>,
  ) {
    this.#controllers = controllers;
    this.#announce = announce;
  }

  /**
   * Makes the controllers visible; disks are attached afterwards.
   *
   * @param root The machine's root, seen from outside.
   */
  async prepare(root: string): Promise<void> {
    this.#root = root;
    await Deno.mkdir(`${this.#root}/sys/bus/scsi/devices`, { recursive: true });
    for (const [number, guid] of this.#controllers.entries()) {
      const device = `${this.#root}/sys/bus/vmbus/devices/${guid}`;
      await Deno.mkdir(`${device}/host${number}`, { recursive: true });
    }
  }

  #device(controller: number, lun: number): string {
    return `${this.#root}/sys/bus/scsi/devices/${controller}:0:0:${lun}`;
  }

  /** Index of a controller. @throws {HResultError} when there is none. */
  controller(guid: string): number {
    const index = this.#controllers.indexOf(guid.toLowerCase());
    if (index >= 0) return index;
    throw refusal("slotEmpty", `There is no SCSI controller "${guid}"`);
  }

  /** Attaches a disk. @throws {HResultError} when the place is taken or the disk cannot be used. */
  async attach(
    controller: number,
    lun: number,
    attachment: ScsiAttachment,
  ): Promise<void> {
    const key = `${controller}:${lun}`;
    const what = `Cannot attach "${attachment.Path}" at ${key}`;
    if (this.#disks.has(key)) {
      throw refusal("slotInUse", `${what}: the place is taken`);
    }
    const name = this.#freeName();
    const disk = await this.#makeNode(name, attachment, what);
    this.#disks.set(key, disk);
    try {
      const device = this.#device(controller, lun);
      await Deno.mkdir(device);
      await Deno.writeTextFile(`${device}/delete`, "");
      // Last: the agent takes its appearance as "ready".
      await Deno.mkdir(`${device}/block/${name}`, { recursive: true });
    } catch (error) {
      await this.detach(controller, lun);
      throw error;
    }
  }

  /** Takes a disk away. @throws {HResultError} when nothing is there. */
  async detach(controller: number, lun: number): Promise<void> {
    const key = `${controller}:${lun}`;
    const disk = this.#disks.get(key);
    if (disk === undefined) {
      throw refusal("slotEmpty", `Nothing is attached at ${key}`);
    }
    await removeIfThere(this.#device(controller, lun));
    await removeIfThere(`${this.#root}/dev/${disk.name}`);
    disk.loop?.close();
    this.#disks.delete(key);
    await this.#announce(this.#images());
  }

  /** Lets go of the computer's resources after the machine's end. */
  release(): void {
    for (const { loop } of this.#disks.values()) loop?.close();
    this.#disks.clear();
  }

  #images(): string[] {
    return [...this.#disks.values()].flatMap(({ image }) =>
      image === undefined ? [] : [image]
    );
  }

  #freeName(): string {
    const taken = new Set([...this.#disks.values()].map(({ name }) => name));
    let index = 0;
    while (taken.has(diskName(index))) index++;
    return diskName(index);
  }

  async #makeNode(
    name: string,
    { Type, Path, ReadOnly = false }: ScsiAttachment,
    what: string,
  ): Promise<AttachedDisk> {
    if (Type === "ExtensibleVirtualDisk") {
      throw refusal(
        "notSupported",
        `${what}: no extensible virtual disks here`,
      );
    }
    const { path, info } = await look(Path, what);
    const node = `${this.#root}/dev/${name}`;
    if (info.isDirectory) {
      await this.#requireVisible(path, info, what);
      await Deno.symlink(hostRoot + path, node);
      return { name };
    }
    if (info.isBlockDevice) {
      await makeBlockNode(node, deviceNumber(info.rdev ?? 0));
      return { name };
    }
    if (!info.isFile) {
      throw refusal("invalidValue", `${what}: it is no file or directory`);
    }
    await this.#announce([...this.#images(), path]);
    const loop = await attachLoop(path, ReadOnly);
    try {
      await makeBlockNode(node, loop);
    } catch (error) {
      loop.close();
      throw error;
    }
    return { name, image: path, loop };
  }

  /** A directory on a mount that the machine does not have would show what is below the mount. */
  async #requireVisible(
    path: string,
    info: Deno.FileInfo,
    what: string,
  ): Promise<void> {
    const inside = await Deno.stat(this.#root + hostRoot + path)
      .catch(() => undefined);
    if (inside?.ino === info.ino && inside.dev === info.dev) return;
    throw new ShimError(
      "FailedPrecondition",
      `${what}: the machine started before it was mounted and mounts of this ` +
        `computer do not propagate; run "mount --make-rshared /" before`,
    );
  }
}

async function look(
  text: string,
  what: string,
): Promise<{ path: string; info: Deno.FileInfo }> {
  if (!text.startsWith("/")) {
    throw refusal("invalidValue", `${what}: the path is not absolute`);
  }
  try {
    const path = await Deno.realPath(text);
    return { path, info: await Deno.stat(path) };
  } catch (cause) {
    throw refusal("fileNotFound", `${what}: ${messageOf(cause)}`, { cause });
  }
}

async function makeBlockNode(
  node: string,
  { major, minor }: Pick<LoopDevice, "major" | "minor">,
): Promise<void> {
  await runTool("mknod", ["-m", "600", node, "b", `${major}`, `${minor}`]);
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
