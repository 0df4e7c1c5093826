/**
 * From a SCSI address of the host to the device node in the VM
 * (`spec/guest-runtime.md` 14.1).
 *
 * @module
 */

import { type Clock, deadline } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { scsiControllerIds } from "../../bridge/places.ts";
import { isErrno } from "../../ffi/linux/errno.ts";

/** Where a disk is attached, as the host counts. */
export interface ScsiAddress {
  /** Controller, 0 … 3. */
  readonly controller: number;
  /** LUN, 0 … 255. */
  readonly lun: number;
  /** Partition; 0 is the whole disk. */
  readonly partition: bigint;
}

/** Milliseconds between looks at sysfs, which tells nobody about changes. */
const pollInterval = 10;

/** Names in a folder; empty when it does not exist. */
async function namesIn(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(path)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names;
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

  /** Looks again and again until `look` finds something or time is up. */
  async #wait<T>(
    what: string,
    look: () => Promise<T | undefined>,
  ): Promise<T> {
    try {
      return await deadline(
        this.#clock,
        this.#timeout,
        what,
        async (signal) => {
          for (;;) {
            const found = await look();
            if (found !== undefined) return found;
            await this.#clock.sleep(pollInterval, signal);
          }
        },
      );
    } catch (cause) {
      if (!(cause instanceof DOMException)) throw cause;
      throw new ShimError(
        "DeadlineExceeded",
        `Cannot find ${what}: it did not appear within ${this.#timeout} ms`,
        { cause },
      );
    }
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
    const { sys } = this.#tree;
    return await this.#wait(`SCSI controller ${controller}`, async () => {
      // Other virtual machines than Hyper-V's have only the kernel's order.
      const bus = await namesIn(`${sys}/bus/vmbus/devices`);
      if (bus.length === 0) {
        const hosts = await namesIn(`${sys}/class/scsi_host`);
        return hostNumbers(hosts)[controller];
      }
      return hostNumbers(await namesIn(`${sys}/bus/vmbus/devices/${id}`))[0];
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
