/**
 * The SCSI slots of one VM: who shares which disk, where it is, and when it may
 * go.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import { scsiControllerIds } from "../../../bridge/places.ts";
import type { DevicePeers } from "../peers.ts";
import {
  type Claim,
  makeOrJoin,
  requireHeld,
  Reservations,
} from "../sharing.ts";
import {
  type Address,
  type DiskConfig,
  lunsPerController,
  type MountConfig,
  sameDisk,
} from "./config.ts";
import { type HeldDisk, ScsiDisk } from "./disk.ts";

/** A claim on one partition of a disk. */
interface Reservation extends Claim {
  readonly disk: ScsiDisk;
  readonly partition: number;
}

/**
 * Hands out slots and shares disks: two reservations of one host path share its
 * disk, two of one partition share its mount.
 *
 * Changes of one disk are ordered; those of different disks run side by side.
 */
export class ScsiController {
  readonly #peers: DevicePeers;
  readonly #slots: (ScsiDisk | undefined)[];
  readonly #byPath = new Map<string, ScsiDisk>();
  readonly #reservations = new Reservations<Reservation>("SCSI");

  /**
   * A VM without disks.
   *
   * @param peers The VM and its agent.
   * @param controllers How many controllers the VM has, 1 to 4.
   */
  constructor(
    peers: DevicePeers,
    controllers: number = scsiControllerIds.length,
  ) {
    this.#peers = peers;
    this.#slots = new Array<ScsiDisk | undefined>(
      controllers * lunsPerController,
    ).fill(undefined);
  }

  /** The disks that hold a slot now, in the order of the slots. */
  get disks(): readonly HeldDisk[] {
    return this.#slots.filter((disk) => disk !== undefined);
  }

  /** How many reservations are not given back yet. */
  get reservations(): number {
    return this.#reservations.size;
  }

  /** How many disks the VM can have. */
  get capacity(): number {
    return this.#slots.length;
  }

  /**
   * Notes a disk that the VM was created with. It keeps its slot for ever.
   *
   * @throws {ShimError} InvalidArgument for a slot that does not exist,
   * AlreadyExists for one that is taken.
   */
  reserveRootfs(controller: number, lun: number, config: DiskConfig): void {
    const slot = controller * lunsPerController + lun;
    if (controller < 0 || lun < 0 || lun >= lunsPerController) {
      throw this.#noSlot(controller, lun);
    }
    if (slot >= this.#slots.length) throw this.#noSlot(controller, lun);
    const holder = this.#slots[slot];
    if (holder !== undefined) {
      throw new ShimError(
        "AlreadyExists",
        `SCSI slot ${controller}:${lun} holds disk "${holder.config.hostPath}" already`,
      );
    }
    this.#put(slot, { controller, lun }, config, true);
  }

  /**
   * Reserves a partition of a disk; touches neither host nor guest.
   *
   * Waits while the same disk is being attached or taken away.
   *
   * @returns The id of the reservation, for {@linkcode ScsiController.map} and
   * {@linkcode ScsiController.unmap}.
   * @throws {ShimError} ResourceExhausted without a free slot; AlreadyExists
   * when the disk or the partition is in use in another way; FailedPrecondition
   * while others still hold a disk or partition that failed.
   */
  reserve(disk: DiskConfig, mount: MountConfig): Promise<string> {
    return makeOrJoin(
      () => this.#byPath.get(disk.hostPath),
      () => this.#enter(this.#take(disk), mount),
      (known) => this.#join(known, disk, mount),
    );
  }

  /**
   * Attaches the disk and mounts the partition, each once however many
   * reservations share it.
   *
   * @param id A reservation.
   * @param signal Ends it between the two steps.
   * @returns The path of the partition in the guest.
   * @throws {ShimError} NotFound for an unknown reservation, FailedPrecondition
   * after a failed map or unmap; else what host or guest answered. The
   * reservation stays, for {@linkcode ScsiController.unmap}.
   */
  async map(id: string, signal?: AbortSignal): Promise<string> {
    const { disk } = this.#reservations.get(id);
    return await disk.queue.run(async () => {
      // Looked up again: an earlier call for the same id may have ended it.
      const reservation = this.#reservations.get(id);
      requireHeld(reservation, `disk "${disk.config.hostPath}"`);
      signal?.throwIfAborted();
      await disk.attach();
      signal?.throwIfAborted();
      return await disk.mount(reservation.partition);
    });
  }

  /**
   * Gives a reservation back: the last one of a partition unmounts it, the last
   * one of a disk takes the disk from the VM and frees the slot.
   *
   * A failed call can be repeated with the same id; what succeeded is not done
   * again. What is gone already is a success.
   *
   * @throws {ShimError} NotFound for an unknown reservation; else what guest or
   * host answered.
   */
  async unmap(id: string): Promise<void> {
    const { disk } = this.#reservations.get(id);
    await disk.queue.run(async () => {
      const reservation = this.#reservations.get(id);
      if (reservation.isHeld) {
        await disk.unmount(reservation.partition);
        reservation.isHeld = false;
      }
      await disk.detach();
      this.#reservations.delete(id);
      if (disk.isFree) this.#free(disk);
    });
  }

  /** Takes the first free slot for a disk that has none. */
  #take(config: DiskConfig): ScsiDisk {
    const slot = this.#slots.indexOf(undefined);
    if (slot < 0) {
      const { length } = this.#slots;
      throw new ShimError(
        "ResourceExhausted",
        `Cannot attach disk "${config.hostPath}": no available SCSI slots (${length} of ${length} in use). Use fewer layers, or merge them`,
      );
    }
    const address = {
      controller: Math.floor(slot / lunsPerController),
      lun: slot % lunsPerController,
    };
    return this.#put(slot, address, config, false);
  }

  #put(
    slot: number,
    address: Address,
    config: DiskConfig,
    isBootDisk: boolean,
  ): ScsiDisk {
    const disk = new ScsiDisk(this.#peers, address, config, isBootDisk);
    this.#slots[slot] = disk;
    this.#byPath.set(config.hostPath, disk);
    return disk;
  }

  #join(disk: ScsiDisk, config: DiskConfig, mount: MountConfig): string {
    if (!sameDisk(disk.config, config)) {
      throw new ShimError(
        "AlreadyExists",
        `Cannot reserve disk "${config.hostPath}" with different config: it is in use ${
          disk.config.readOnly ? "read-only" : "writable"
        } as ${disk.config.type}`,
      );
    }
    return this.#enter(disk, mount);
  }

  #enter(disk: ScsiDisk, mount: MountConfig): string {
    disk.reserve(mount);
    const { partition } = mount;
    return this.#reservations.add({ disk, partition, isHeld: true });
  }

  /**
   * Frees the slot of a disk, unless another holder did so before and the slot
   * holds a new disk now. (The peer crashes on the second of two holders of a
   * disk that could not be attached.)
   */
  #free(disk: ScsiDisk): void {
    const { controller, lun } = disk.address;
    const slot = controller * lunsPerController + lun;
    if (this.#slots[slot] !== disk) return;
    this.#slots[slot] = undefined;
    this.#byPath.delete(disk.config.hostPath);
  }

  #noSlot(controller: number, lun: number): ShimError {
    return new ShimError(
      "InvalidArgument",
      `SCSI slot ${controller}:${lun} does not exist: the VM has ${
        this.#slots.length / lunsPerController
      } controllers with ${lunsPerController} units each`,
    );
  }
}
