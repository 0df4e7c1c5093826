/**
 * One disk in a slot of the VM, and its mounted partitions.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import { SerialQueue } from "../../../base/queue.ts";
import type { State } from "../../../base/states.ts";
import type { Guest } from "../../../bridge/guest.ts";
import type { ComputeSystem } from "../../../hcs/ports.ts";
import {
  type Address,
  attachRequest,
  type DiskConfig,
  ejectRequest,
  type MountConfig,
  removeRequest,
} from "./config.ts";
import { ScsiMount } from "./mount.ts";
import { type DiskEvent, type DiskState, diskStates } from "./states.ts";

/** Whom a disk talks to. */
export interface ScsiPeers {
  /** The VM, as the host knows it. */
  readonly vm: Pick<ComputeSystem, "modify">;
  /** The agent in the VM. */
  readonly guest: Pick<Guest, "modify">;
}

/**
 * A disk. Its methods are not safe for parallel calls; callers run them in
 * {@linkcode ScsiDisk.queue}.
 */
export class ScsiDisk {
  /** Orders all changes of this disk. */
  readonly queue: SerialQueue = new SerialQueue();
  /** What it is. */
  readonly config: DiskConfig;
  /** Where it is. */
  readonly address: Address;
  /** Whether it belongs to the VM itself and stays for its whole life. */
  readonly isBootDisk: boolean;
  readonly #peers: ScsiPeers;
  readonly #state: State<DiskState, DiskEvent>;
  readonly #mounts = new Map<number, ScsiMount>();

  /**
   * A new disk is Reserved; one that the VM was created with is Attached.
   *
   * @param peers Whom it talks to.
   * @param address Its slot.
   * @param config What it is.
   * @param isBootDisk Whether the VM was created with it.
   */
  constructor(
    peers: ScsiPeers,
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

  /** Attaches it to the VM, once. A failed attach is final for this disk. */
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
  mount(partition: number): Promise<string> {
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
    return mount.mount(this.#peers.guest);
  }

  /**
   * Takes one reference of a partition away; the last one unmounts it. An
   * unknown partition is none of this disk's any more, which is a success.
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
   * by the next call; an eject that succeeded is not.
   */
  async detach(): Promise<void> {
    if (this.#mounts.size > 0 || this.isBootDisk) return;
    if (this.#state.is("Attached")) {
      await this.#peers.guest.modify(ejectRequest(this.address));
      this.#state.to("eject");
    }
    if (this.#state.is("Ejected")) {
      await this.#peers.vm.modify(removeRequest(this.address));
      this.#state.to("remove");
    }
  }
}
