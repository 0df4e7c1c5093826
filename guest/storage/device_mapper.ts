/**
 * Block devices made of others (`spec/guest-runtime.md` 14.2).
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import {
  callMapper,
  type MapperTarget,
} from "../../ffi/linux/device_mapper.ts";
import { isErrno } from "../../ffi/linux/errno.ts";
import { makeBlockNode } from "../../ffi/linux/files.ts";
import { removeTree } from "./unmount.ts";
import type { VerityInfo } from "./verity.ts";
import { retry } from "../wait.ts";

/** Bytes of a sector of the device mapper. */
const sector = 512n;

/** Folder of the nodes. */
const folder = "/dev/mapper";

/** A part of a device as a device of its own. Sizes in bytes. */
export function linearTarget(
  device: string,
  offset: bigint,
  size: bigint,
): MapperTarget {
  return {
    start: 0n,
    length: size / sector,
    type: "linear",
    parameters: `${device} ${offset / sector}`,
  };
}

/**
 * A device whose blocks are checked as they are read; the hashes stand behind
 * the data (kernel: `admin-guide/device-mapper/verity`).
 */
export function verityTarget(device: string, info: VerityInfo): MapperTarget {
  const { blockSize, dataBlocks } = info;
  return {
    start: 0n,
    length: dataBlocks * BigInt(blockSize) / sector,
    type: "verity",
    parameters: [
      info.hashType,
      device,
      device,
      blockSize,
      blockSize,
      dataBlocks,
      dataBlocks + 1n, // the superblock of the hashes comes first
      info.algorithm,
      info.rootDigest,
      info.salt === "" ? "-" : info.salt,
    ].join(" "),
  };
}

/** What the mapper calls; tests replace it. */
export interface DeviceMapperPorts {
  /** A command to the kernel. */
  readonly call: typeof callMapper;
  /** Makes a block device's node. */
  readonly makeNode: (path: string, device: bigint) => Promise<void>;
  /** Removes a node; a missing one is a success. */
  readonly removeNode: (path: string) => Promise<void>;
}

/** The kernel. */
export const kernelMapper: DeviceMapperPorts = {
  call: callMapper,
  makeNode: async (path, device) => {
    await Deno.mkdir(folder, { recursive: true, mode: 0o755 });
    await removeTree(path); // of a device that is gone
    makeBlockNode(path, device);
  },
  removeNode: removeTree,
};

/** A device that is there, but not ready, or not there yet. */
const transient = ["EBUSY", "ENOENT", "ENXIO", "ENODEV"];

/** Attempts to remove a device that is in use, and milliseconds between them. */
const removal = { attempts: 10, interval: 10 } as const;

/** Makes and removes mapped devices. */
export class DeviceMapper {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #ports: DeviceMapperPorts;

  /**
   * @param clock Time.
   * @param timeout Milliseconds until a device must have been made.
   * @param ports The kernel.
   */
  constructor(
    clock: Clock,
    timeout: number,
    ports: DeviceMapperPorts = kernelMapper,
  ) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#ports = ports;
  }

  /**
   * Makes a device. While the devices below are not ready it tries again.
   *
   * @returns Path of its node.
   * @throws {ErrnoError} The kernel's refusal; nothing stays behind.
   */
  async create(
    name: string,
    targets: readonly MapperTarget[],
    options: {
      readonly readOnly?: boolean;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<string> {
    const { readOnly = false, signal } = options;
    return await retry(
      () => this.#create(name, targets, readOnly),
      (error) => isErrno(error, ...transient),
      { clock: this.#clock, timeout: this.#timeout, signal },
    );
  }

  async #create(
    name: string,
    targets: readonly MapperTarget[],
    readOnly: boolean,
  ): Promise<string> {
    const { call, makeNode } = this.#ports;
    const path = `${folder}/${name}`;
    const { device } = call({ command: "create", name });
    try {
      call({ command: "load", name, targets, readOnly });
      call({ command: "suspend", name, readOnly });
      await makeNode(path, device);
      return path;
    } catch (error) {
      // The first error is the one that is told.
      await this.remove(name).catch(() => {});
      throw error;
    }
  }

  /**
   * Removes a device; one that is gone is a success. A moment after its last
   * user it may still be busy.
   *
   * @throws {ErrnoError} EBUSY while it is in use.
   */
  async remove(name: string): Promise<void> {
    await this.#ports.removeNode(`${folder}/${name}`);
    for (let attempt = 1;; attempt++) {
      try {
        this.#ports.call({ command: "remove", name });
        return;
      } catch (error) {
        if (isErrno(error, "ENXIO")) return;
        const again = isErrno(error, "EBUSY") && attempt < removal.attempts;
        if (!again) throw error;
        await this.#clock.sleep(removal.interval);
      }
    }
  }
}
