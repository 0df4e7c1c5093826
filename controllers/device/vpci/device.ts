/**
 * One PCI device of the host, assigned to the VM for as long as somebody holds
 * it.
 *
 * @module
 */

import { newGuid } from "../../../base/guid.ts";
import { SerialQueue } from "../../../base/queue.ts";
import type { State } from "../../../base/states.ts";
import type { PciFunction } from "../../../oci/devices.ts";
import { type DevicePeers, unlessGone } from "../peers.ts";
import {
  assignRequest,
  awaitRequest,
  removeRequest,
  virtualPciDevice,
} from "./config.ts";
import { type DeviceEvent, type DeviceState, deviceStates } from "./states.ts";

/** A device that somebody holds. What it shows may change across awaits. */
export interface HeldDevice {
  /** VMBus GUID, by which host and guest know it in this VM. */
  readonly guid: string;
  /** Which device of the host it is. */
  readonly config: PciFunction;
  /** Its state. */
  readonly state: DeviceState;
  /** How many reservations hold it. */
  readonly references: number;
}

/**
 * A device. Its methods are not safe for parallel calls; callers run them in
 * {@linkcode VpciDevice.queue}.
 */
export class VpciDevice implements HeldDevice {
  /** Orders all changes of this device. */
  readonly queue: SerialQueue = new SerialQueue();
  /** Its VMBus GUID. */
  readonly guid: string = newGuid();
  /** Which device of the host it is. */
  readonly config: PciFunction;
  readonly #peers: DevicePeers;
  readonly #state: State<DeviceState, DeviceEvent>;
  #references = 1;

  /**
   * A new device is Reserved, with one reference and a GUID of its own.
   *
   * @param peers Whom it talks to.
   * @param config Which device of the host it is.
   */
  constructor(peers: DevicePeers, config: PciFunction) {
    this.#peers = peers;
    this.config = config;
    const { instancePath, virtualFunction } = config;
    this.#state = deviceStates.begin(
      `device "${instancePath}", function ${virtualFunction}, as ${this.guid}`,
    );
  }

  /** Its state. */
  get state(): DeviceState {
    return this.#state.current;
  }

  /** How many reservations hold it. */
  get references(): number {
    return this.#references;
  }

  /** One more holder, in any state: what failed is told by the assignment. */
  reserve(): void {
    this.#references++;
  }

  /**
   * Has the host assign it and the guest see it, once. A call that was ended
   * between the two steps is taken up where it stopped.
   *
   * @param signal Ends it between the two steps.
   * @throws {ShimError} FailedPrecondition when AssignedInvalid or Removed; else
   * what host (it is Removed then) or guest (AssignedInvalid) answered.
   */
  async assign(signal?: AbortSignal): Promise<void> {
    if (this.#state.is("Ready")) return;
    if (!this.#state.is("Assigned")) {
      this.#state.require("assign");
      const request = assignRequest(this.guid, virtualPciDevice(this.config));
      await this.#step(this.#peers.vm.modify(request));
      this.#state.to("assign");
    }
    signal?.throwIfAborted();
    await this.#step(this.#peers.guest.modify(awaitRequest(this.guid)));
    this.#state.to("ready");
  }

  async #step(call: Promise<void>): Promise<void> {
    try {
      await call;
    } catch (error) {
      this.#state.to("fail");
      throw error;
    }
  }

  /**
   * Takes one reference away; the last one has the host take the device back.
   * The guest is not asked: it sees the device go. A failed remove keeps the
   * reference, so that it can be repeated; a device that the host does not have
   * any more is removed.
   *
   * @throws what the host answered; the device is AssignedInvalid then.
   */
  async release(): Promise<void> {
    if (this.#references === 1 && !this.#state.is("Removed")) {
      if (!this.#state.is("Reserved")) {
        await this.#step(
          unlessGone(this.#peers.vm.modify(removeRequest(this.guid))),
        );
      }
      this.#state.to("remove");
    }
    this.#references--;
  }
}
