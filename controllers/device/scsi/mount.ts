/**
 * One partition of an attached disk, mounted in the guest for as long as
 * somebody holds it.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import type { State } from "../../../base/states.ts";
import { type DevicePeers, unlessGone } from "../peers.ts";
import {
  type Address,
  guestMountPath,
  type MountConfig,
  mountRequest,
  sameMount,
} from "./config.ts";
import { type MountEvent, type MountState, mountStates } from "./states.ts";

/** A partition that somebody holds. What it shows may change across awaits. */
export interface HeldPartition {
  /** How it is mounted. */
  readonly config: MountConfig;
  /** Its state. */
  readonly state: MountState;
  /** How many reservations hold it. */
  readonly references: number;
  /** Where it is in the guest. */
  readonly guestPath: string;
}

/** A reference-counted mount. Not safe for parallel calls: the disk orders them. */
export class ScsiMount implements HeldPartition {
  /** How it is mounted. */
  readonly config: MountConfig;
  readonly #address: Address;
  readonly #state: State<MountState, MountEvent>;
  #references = 1;

  /** A new mount is Reserved, with one reference. */
  constructor(address: Address, config: MountConfig) {
    this.#address = address;
    this.config = config;
    this.#state = mountStates.begin(
      `partition ${config.partition} at ${this.guestPath}`,
    );
  }

  /** Its state. */
  get state(): MountState {
    return this.#state.current;
  }

  /** How many reservations hold it. */
  get references(): number {
    return this.#references;
  }

  /** Where it is in the guest. */
  get guestPath(): string {
    return guestMountPath(this.#address, this.config.partition);
  }

  /**
   * One more holder.
   *
   * @throws {ShimError} FailedPrecondition after a failed mount or an unmount;
   * AlreadyExists when it is mounted in another way.
   */
  reserve(config: MountConfig): void {
    if (this.#state.is("Unmounted")) throw this.#state.refusal("reserve");
    if (!sameMount(this.config, config)) {
      throw new ShimError(
        "AlreadyExists",
        `Cannot reserve partition ${config.partition} at ${this.guestPath} with different config: it is mounted in another way`,
      );
    }
    this.#references++;
  }

  /**
   * Mounts it in the guest, once.
   *
   * @returns Its path in the guest.
   */
  async mount(guest: DevicePeers["guest"]): Promise<string> {
    if (this.#state.is("Mounted")) return this.guestPath;
    this.#state.require("mount");
    try {
      await guest.modify(mountRequest("Add", this.#address, this.config));
    } catch (error) {
      this.#state.to("fail");
      throw error;
    }
    this.#state.to("mount");
    return this.guestPath;
  }

  /**
   * Takes one reference away; the last one unmounts. A failed unmount keeps the
   * reference, so that it can be repeated; a guest that has no such mount any
   * more has unmounted it.
   *
   * @throws {ShimError} FailedPrecondition when it is Unmounted.
   */
  async unmount(guest: DevicePeers["guest"]): Promise<void> {
    if (this.#state.is("Unmounted")) throw this.#state.refusal("unmount");
    if (this.#references === 1 && this.#state.is("Mounted")) {
      await unlessGone(
        guest.modify(mountRequest("Remove", this.#address, this.config)),
      );
      this.#state.to("unmount");
    }
    this.#references--;
  }

  /** Takes one reference of a mount away that failed and needs no unmount. */
  drop(): void {
    this.#references--;
  }
}
