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
import { namesIn, waitFor } from "../wait.ts";

/** Where a disk is attached, as the host counts. */
export interface ScsiAddress {
  /** Controller, 0 … 3. */
  readonly controller: number;
  /** LUN, 0 … 255. */
  readonly lun: number;
  /** Partition; 0 is the whole disk. */
  readonly partition: bigint;
}

/** A disk in the VM. */
export interface ScsiDevice {
  /** Path of its node, or of a directory that stands for it. */
  readonly node: string;
  /** Number that the kernel gave to its controller. */
  readonly controller: number;
}

/** The numbers of `host<N>` among names, lowest first. */
function hostNumbers(names: readonly string[]): number[] {
  return names.map((name) => name.match(/^host(\d+)$/)?.[1])
    .filter((number) => number !== undefined)
    .map(Number).sort((a, b) => a - b);
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

  #wait<T>(
    what: string,
    look: () => Promise<T | undefined>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const wait = { clock: this.#clock, timeout: this.#timeout, signal };
    return waitFor(what, look, wait);
  }

  /** The number that the kernel gave to a controller. */
  async controllerNumber(
    controller: number,
    signal?: AbortSignal,
  ): Promise<number> {
    const id = scsiControllerIds[controller];
    if (id === undefined) {
      throw new ShimError(
        "InvalidArgument",
        `Cannot find SCSI controller ${controller}: a VM has controllers 0 … ${
          scsiControllerIds.length - 1
        }`,
      );
    }
    const { sys } = this.#tree;
    return await this.#wait(`SCSI controller ${controller}`, async () => {
      // Other virtual machines than Hyper-V's have only the kernel's order.
      const bus = await namesIn(`${sys}/bus/vmbus/devices`);
      if (bus.length === 0) {
        const hosts = await namesIn(`${sys}/class/scsi_host`);
        return hostNumbers(hosts)[controller];
      }
      return hostNumbers(await namesIn(`${sys}/bus/vmbus/devices/${id}`))[0];
    }, signal);
  }

  /**
   * The device node of a disk or partition: a block device, or a directory that
   * stands for a disk with a file system.
   *
   * @throws {ShimError} DeadlineExceeded when it does not appear.
   */
  async find(
    address: ScsiAddress,
    signal?: AbortSignal,
  ): Promise<ScsiDevice> {
    const { controller, lun, partition } = address;
    const host = await this.controllerNumber(controller, signal);
    const block = `${this.#tree.sys}/bus/scsi/devices/${host}:0:0:${lun}/block`;
    const disk = `SCSI disk ${controller}:${lun}`;
    const name = await this.#wait(disk, async () => {
      const [first, second] = await namesIn(block);
      if (second !== undefined) {
        throw new ShimError("Internal", `${disk} has more than one device`);
      }
      return first;
    }, signal);
    const part = partition === 0n ? name : `${name}${partition}`;
    if (partition !== 0n) {
      await this.#wait(
        `partition ${partition} of ${disk}`,
        async () =>
          (await namesIn(`${block}/${name}`)).includes(part) || undefined,
        signal,
      );
    }
    const node = `${this.#tree.dev}/${part}`;
    await this.waitForNode(node, signal);
    return { node, controller: host };
  }

  /**
   * Waits until a device node opens.
   *
   * @throws {ShimError} DeadlineExceeded when it does not.
   */
  async waitForNode(node: string, signal?: AbortSignal): Promise<void> {
    const look = async (): Promise<true | undefined> =>
      await opens(node) || undefined;
    await this.#wait(`device node "${node}"`, look, signal);
  }

  /** Tells the kernel to forget a disk. A missing one is a success. */
  async unplug(
    controller: number,
    lun: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const host = await this.controllerNumber(controller, signal);
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
