/**
 * From a SCSI address of the host to the device node in the VM
 * (`spec/guest-runtime.md` 14.1).
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { scsiControllerIds } from "../../bridge/places.ts";
import { isErrno } from "../../ffi/linux/errno.ts";
import { namesIn, waitForDevice } from "../device_wait.ts";

/** Where a disk is attached, as the host counts. */
export interface ScsiAddress {
  /** Controller, 0 … 3. */
  readonly controller: number;
  /** LUN, 0 … 255. */
  readonly lun: number;
  /** Partition; 0 is the whole disk. */
  readonly partition: bigint;
}

/** Where devices are looked for. */
export interface DeviceTree {
  /** `/sys` of the VM. */
  readonly sys: string;
  /** `/dev` of the VM. */
  readonly dev: string;
}

/** The VM itself. */
export const machine: DeviceTree = { sys: "/sys", dev: "/dev" };

/** Finds the devices of SCSI addresses. */
export class ScsiDevices {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #tree: DeviceTree;

  /**
   * @param clock Time.
   * @param timeout Milliseconds until a device must have appeared.
   * @param tree Where to look.
   */
  constructor(clock: Clock, timeout: number, tree: DeviceTree = machine) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#tree = tree;
  }

  #wait<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    return waitForDevice({
      clock: this.#clock,
      timeout: this.#timeout,
      what,
      look,
    });
  }

  /** The number that the kernel gave to a controller. */
  async controllerNumber(controller: number): Promise<number> {
    const id = scsiControllerIds[controller];
    if (id === undefined) {
      throw new ShimError(
        "InvalidArgument",
        `Cannot find SCSI controller ${controller}: a VM has controllers 0 … ${
          scsiControllerIds.length - 1
        }`,
      );
    }
    const path = `${this.#tree.sys}/bus/vmbus/devices/${id}`;
    return await this.#wait(`SCSI controller ${controller}`, async () => {
      for (const name of (await namesIn(path)).sort()) {
        const [, number] = name.match(/^host(\d+)$/) ?? [];
        if (number !== undefined) return Number(number);
      }
      return undefined;
    });
  }

  /**
   * The device node of a disk or partition: a block device, or a directory that
   * stands for a disk with a file system.
   *
   * @returns Its path.
   * @throws {ShimError} DeadlineExceeded when it does not appear.
   */
  async find(address: ScsiAddress): Promise<string> {
    const { controller, lun, partition } = address;
    const host = await this.controllerNumber(controller);
    const block = `${this.#tree.sys}/bus/scsi/devices/${host}:0:0:${lun}/block`;
    const disk = `SCSI disk ${controller}:${lun}`;
    const name = await this.#wait(disk, async () => {
      const [first, second] = await namesIn(block);
      if (second !== undefined) {
        throw new ShimError("Internal", `${disk} has more than one device`);
      }
      return first;
    });
    const part = partition === 0n ? name : `${name}${partition}`;
    if (partition !== 0n) {
      await this.#wait(
        `partition ${partition} of ${disk}`,
        async () =>
          (await namesIn(`${block}/${name}`)).includes(part) || undefined,
      );
    }
    const node = `${this.#tree.dev}/${part}`;
    return await this.#wait(
      `device node "${node}"`,
      async () => await opens(node) ? node : undefined,
    );
  }

  /** Tells the kernel to forget a disk. A missing one is a success. */
  async unplug(controller: number, lun: number): Promise<void> {
    const host = await this.controllerNumber(controller);
    const path = `${this.#tree.sys}/bus/scsi/devices/${host}:0:0:${lun}/delete`;
    try {
      await Deno.writeTextFile(path, "1\n", { create: false });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** True when a node opens; false while its driver is not ready. */
async function opens(node: string): Promise<boolean> {
  try {
    if ((await Deno.stat(node)).isDirectory) return true;
    (await Deno.open(node)).close();
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENXIO")) return false;
    throw error;
  }
}
