/**
 * The PCI devices of the host that one VM has: who shares which one, and when it
 * goes back.
 *
 * @module
 */

import type { PciFunction } from "../../../oci/devices.ts";
import type { DevicePeers } from "../peers.ts";
import { makeOrJoin, Reservations } from "../sharing.ts";
import { deviceKey } from "./config.ts";
import { type HeldDevice, VpciDevice } from "./device.ts";

/**
 * Assigns devices: two reservations of one function of one device share its
 * assignment.
 *
 * Changes of one device are ordered; those of different devices run side by
 * side.
 */
export class VpciController {
  readonly #peers: DevicePeers;
  readonly #byKey = new Map<string, VpciDevice>();
  readonly #reservations = new Reservations<VpciDevice>("vPCI");

  /**
   * A VM without devices.
   *
   * @param peers The VM and its agent.
   */
  constructor(peers: DevicePeers) {
    this.#peers = peers;
  }

  /** The devices that somebody holds now, in the order of their reservation. */
  get devices(): readonly HeldDevice[] {
    return [...this.#byKey.values()];
  }

  /** How many reservations are not given back yet. */
  get reservations(): number {
    return this.#reservations.size;
  }

  /**
   * Reserves a device; touches neither host nor guest. While somebody holds it,
   * it keeps its VMBus GUID; afterwards it gets a new one.
   *
   * Every reservation counts: one holder who gives up does not take the device
   * from the others. (With the peer, which counts assignments alone, the first
   * remove drops a device that others have reserved.)
   *
   * Waits while the same device is being assigned or taken back.
   *
   * @returns The id of the reservation, for {@linkcode VpciController.map} and
   * {@linkcode VpciController.unmap}.
   */
  reserve(device: PciFunction): Promise<string> {
    const key = deviceKey(device);
    return makeOrJoin(
      () => this.#byKey.get(key),
      () => {
        const made = new VpciDevice(this.#peers, device);
        this.#byKey.set(key, made);
        return this.#reservations.add(made);
      },
      (known) => {
        known.reserve();
        return this.#reservations.add(known);
      },
    );
  }

  /**
   * Has the host assign the device and the guest see it, each once however many
   * reservations share it.
   *
   * @param id A reservation.
   * @param signal Ends it between the two steps.
   * @returns The VMBus GUID by which the guest knows the device.
   * @throws {ShimError} NotFound for an unknown reservation, FailedPrecondition
   * after a failed map or unmap; else what host or guest answered. The
   * reservation stays, for {@linkcode VpciController.unmap}.
   */
  async map(id: string, signal?: AbortSignal): Promise<string> {
    const device = this.#reservations.get(id);
    return await device.queue.run(async () => {
      this.#reservations.get(id); // an earlier call for the same id may have ended it
      signal?.throwIfAborted();
      await device.assign(signal);
      return device.guid;
    });
  }

  /**
   * Gives a reservation back: the last one has the host take the device from the
   * VM.
   *
   * A failed call can be repeated with the same id. What is gone already is a
   * success.
   *
   * @throws {ShimError} NotFound for an unknown reservation; else what the host
   * answered.
   */
  async unmap(id: string): Promise<void> {
    const device = this.#reservations.get(id);
    await device.queue.run(async () => {
      this.#reservations.get(id);
      await device.release();
      this.#reservations.delete(id);
      if (device.references === 0) {
        this.#byKey.delete(deviceKey(device.config));
      }
    });
  }
}
