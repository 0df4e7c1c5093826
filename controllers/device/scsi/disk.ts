/**
 * One disk in a slot of the VM, and its mounted partitions.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import { SerialQueue } from "../../../base/queue.ts";
import type { State } from "../../../base/states.ts";
import { type DevicePeers, unlessGone } from "../peers.ts";
import {
  type Address,
  attachRequest,
  type DiskConfig,
  ejectRequest,
  type MountConfig,
  removeRequest,
} from "./config.ts";
import { type HeldPartition, ScsiMount } from "./mount.ts";
import { type DiskEvent, type DiskState, diskStates } from "./states.ts";

/** A disk that holds a slot. What it shows may change across awaits. */
export interface HeldDisk {
  /** What it is. */
  readonly config: DiskConfig;
  /** Where it is. */
  readonly address: Address;
  /** Whether it belongs to the VM itself and stays for its whole life. */
  readonly isBootDisk: boolean;
  /** Its state. */
  readonly state: DiskState;
  /** Its partitions that somebody holds. */
  readonly mounts: ReadonlyMap<number, HeldPartition>;
}

/**
 * A disk. Its methods are not safe for parallel calls; callers run them in
 * {@linkcode ScsiDisk.queue}.
 */
export class ScsiDisk implements HeldDisk {
  /** Orders all changes of this disk. */
  readonly queue: SerialQueue = new SerialQueue();
  /** What it is. */
  readonly config: DiskConfig;
  /** Where it is. */
  readonly address: Address;
  /** Whether it belongs to the VM itself and stays for its whole life. */
  readonly isBootDisk: boolean;
  readonly #peers: DevicePeers;
  readonly #state: State<DiskState, DiskEvent>;
  readonly #mounts = new Map<number, ScsiMount>();

  /**
   * A new disk is Reserved; one that the VM was created with is Attached (for
   * the peer it is Reserved, so that its first use attaches it again).
   *
   * @param peers Whom it talks to.
   * @param address Its slot.
   * @param config What it is.
   * @param isBootDisk Whether the VM was created with it.
   */
  constructor(
    peers: DevicePeers,
    address: Address,
    config: DiskConfig,
    isBootDisk = false,
  ) {
    this.#peers = peers;
    this.address = address;
    this.config = config;
    this.isBootDisk = isBootDisk;
    this.#state = diskStates.begin(
      `disk "${config.hostPath}" at ${address.controller}:${address.lun}`,
    );
    if (isBootDisk) this.#state.to("attach");
  }

  /** Its state. */
  get state(): DiskState {
    return this.#state.current;
  }

  /** Its partitions that somebody holds. */
  get mounts(): ReadonlyMap<number, ScsiMount> {
    return this.#mounts;
  }

  /** True when nobody needs its slot any more. */
  get isFree(): boolean {
    return this.#mounts.size === 0 && !this.isBootDisk &&
      this.#state.is("Reserved", "Detached");
  }

  /**
   * Reserves a partition, or takes one more reference to it.
   *
   * @throws {ShimError} FailedPrecondition unless Reserved or Attached;
   * AlreadyExists when it is mounted in another way.
   */
  reserve(config: MountConfig): void {
    if (!this.#state.is("Reserved", "Attached")) {
      throw this.#state.refusal(`reserve partition ${config.partition} of`);
    }
    const known = this.#mounts.get(config.partition);
    if (known !== undefined) known.reserve(config);
    else {
      this.#mounts.set(config.partition, new ScsiMount(this.address, config));
    }
  }

  /**
   * Attaches it to the VM, once. A failed attach is final for this disk.
   *
   * @throws {ShimError} FailedPrecondition when Ejected (the peer succeeds
   * without a call, and fails at the mount) or Detached; else what the host
   * answered.
   */
  async attach(): Promise<void> {
    if (this.#state.is("Attached")) return;
    this.#state.require("attach");
    try {
      await this.#peers.vm.modify(attachRequest(this.address, this.config));
    } catch (error) {
      this.#state.to("fail");
      throw error;
    }
    this.#state.to("attach");
  }

  /**
   * Mounts a reserved partition in the guest.
   *
   * @returns Its path in the guest.
   * @throws {ShimError} FailedPrecondition unless Attached; NotFound when the
   * partition is not reserved.
   */
  async mount(partition: number): Promise<string> {
    if (!this.#state.is("Attached")) {
      throw this.#state.refusal(`mount partition ${partition} of`);
    }
    const mount = this.#mounts.get(partition);
    if (mount === undefined) {
      throw new ShimError(
        "NotFound",
        `Partition ${partition} of disk "${this.config.hostPath}" is not reserved`,
      );
    }
    return await mount.mount(this.#peers.guest);
  }

  /**
   * Takes one reference of a partition away; the last one unmounts it. An
   * unknown partition is none of this disk's any more, which is a success.
   *
   * A partition that was never mounted, or whose mount failed, only loses the
   * reference, and goes with the last one. (The peer keeps both for ever: the
   * slot of the first leaks, the disk of the second stays attached.)
   */
  async unmount(partition: number): Promise<void> {
    const mount = this.#mounts.get(partition);
    if (mount === undefined) return;
    if (mount.state === "Unmounted") mount.drop();
    else await mount.unmount(this.#peers.guest);
    if (mount.references === 0) this.#mounts.delete(partition);
  }

  /**
   * Takes it from the VM when nothing of it is mounted. What failed is repeated
   * by the next call; an eject that succeeded is not. A guest or host that has
   * no such disk any more has let it go.
   */
  async detach(): Promise<void> {
    if (this.#mounts.size > 0 || this.isBootDisk) return;
    if (this.#state.is("Attached")) {
      await unlessGone(this.#peers.guest.modify(ejectRequest(this.address)));
      this.#state.to("eject");
    }
    if (this.#state.is("Ejected")) {
      await unlessGone(this.#peers.vm.modify(removeRequest(this.address)));
      this.#state.to("remove");
    }
  }
}
