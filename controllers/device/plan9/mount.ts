/**
 * The mount of a share in the guest, for as long as somebody holds it.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import type { State } from "../../../base/states.ts";
import { type DevicePeers, unlessGone } from "../peers.ts";
import {
  guestSharePath,
  mountRequest,
  sameShareMount,
  type ShareMountConfig,
} from "./config.ts";
import {
  type ShareMountEvent,
  type ShareMountState,
  shareMountStates,
} from "./states.ts";

/** A mount that somebody holds. What it shows may change across awaits. */
export interface HeldShareMount {
  /** How it is mounted. */
  readonly config: ShareMountConfig;
  /** Its state. */
  readonly state: ShareMountState;
  /** How many reservations hold it. */
  readonly references: number;
  /** Where it is in the guest. */
  readonly guestPath: string;
}

/** A reference-counted mount. Not safe for parallel calls: the share orders them. */
export class ShareMount implements HeldShareMount {
  /** How it is mounted. */
  readonly config: ShareMountConfig;
  readonly #name: string;
  readonly #state: State<ShareMountState, ShareMountEvent>;
  #references = 1;

  /**
   * A new mount is Reserved, with one reference.
   *
   * @param name Name of its share.
   * @param config How it is mounted.
   */
  constructor(name: string, config: ShareMountConfig) {
    this.#name = name;
    this.config = config;
    this.#state = shareMountStates.begin(`the mount at ${this.guestPath}`);
  }

  /** Its state. */
  get state(): ShareMountState {
    return this.#state.current;
  }

  /** How many reservations hold it. */
  get references(): number {
    return this.#references;
  }

  /** Where it is in the guest. */
  get guestPath(): string {
    return guestSharePath(this.#name);
  }

  /**
   * One more holder.
   *
   * @throws {ShimError} FailedPrecondition after a failed mount or an unmount;
   * AlreadyExists when it is mounted in another way.
   */
  reserve(config: ShareMountConfig): void {
    if (this.#state.is("Invalid", "Unmounted")) {
      throw this.#state.refusal("reserve");
    }
    if (!sameShareMount(this.config, config)) {
      throw new ShimError(
        "AlreadyExists",
        `Cannot reserve the mount at ${this.guestPath} with different config: it is mounted ${
          this.config.readOnly ? "read-only" : "writable"
        }`,
      );
    }
    this.#references++;
  }

  /**
   * Mounts it in the guest, once.
   *
   * @returns Its path in the guest.
   * @throws {ShimError} FailedPrecondition after a failed mount or an unmount;
   * else what the guest answered, and it is Invalid.
   */
  async mount(guest: DevicePeers["guest"]): Promise<string> {
    if (this.#state.is("Mounted")) return this.guestPath;
    this.#state.require("mount");
    try {
      await guest.modify(mountRequest("Add", this.#name, this.config));
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
   * @throws {ShimError} FailedPrecondition when it is Unmounted; else what the
   * guest answered.
   */
  async unmount(guest: DevicePeers["guest"]): Promise<void> {
    this.#state.require("unmount");
    if (this.#references === 1) {
      if (this.#state.is("Mounted")) {
        await unlessGone(
          guest.modify(mountRequest("Remove", this.#name, this.config)),
        );
      }
      this.#state.to("unmount");
    }
    this.#references--;
  }
}
