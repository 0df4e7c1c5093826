/**
 * One directory that the host serves to the VM, and its mount.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import { SerialQueue } from "../../../base/queue.ts";
import type { State } from "../../../base/states.ts";
import { type DevicePeers, unlessGone } from "../peers.ts";
import {
  addRequest,
  removeRequest,
  type ShareConfig,
  type ShareMountConfig,
} from "./config.ts";
import { type HeldShareMount, ShareMount } from "./mount.ts";
import { type ShareEvent, type ShareState, shareStates } from "./states.ts";

/** A share that somebody holds. What it shows may change across awaits. */
export interface HeldShare {
  /** Its name for host and guest, never used for another share. */
  readonly name: string;
  /** What it shares. */
  readonly config: ShareConfig;
  /** Its state. */
  readonly state: ShareState;
  /** Its mount, while somebody holds it. */
  readonly mount: HeldShareMount | undefined;
}

/**
 * A share. Its methods are not safe for parallel calls; callers run them in
 * {@linkcode Share.queue}.
 */
export class Share implements HeldShare {
  /** Orders all changes of this share. */
  readonly queue: SerialQueue = new SerialQueue();
  /** Its name. */
  readonly name: string;
  /** What it shares. */
  readonly config: ShareConfig;
  readonly #peers: DevicePeers;
  readonly #state: State<ShareState, ShareEvent>;
  #mount: ShareMount | undefined;

  /**
   * A new share is Reserved.
   *
   * @param peers Whom it talks to.
   * @param name Its name.
   * @param config What it shares.
   */
  constructor(peers: DevicePeers, name: string, config: ShareConfig) {
    this.#peers = peers;
    this.name = name;
    this.config = config;
    this.#state = shareStates.begin(`share ${name} of "${config.hostPath}"`);
  }

  /** Its state. */
  get state(): ShareState {
    return this.#state.current;
  }

  /** Its mount, while somebody holds it. */
  get mount(): ShareMount | undefined {
    return this.#mount;
  }

  /**
   * Reserves its mount, or takes one more reference to it.
   *
   * @throws {ShimError} FailedPrecondition unless Reserved or Added, or after a
   * failed mount; AlreadyExists when it is mounted in another way.
   */
  reserve(config: ShareMountConfig): void {
    if (!this.#state.is("Reserved", "Added")) {
      throw this.#state.refusal("reserve");
    }
    if (this.#mount !== undefined) this.#mount.reserve(config);
    else this.#mount = new ShareMount(this.name, config);
  }

  /**
   * Has the host serve it, once. A failed add is final for this share.
   *
   * @throws {ShimError} FailedPrecondition when Invalid or Removed; else what
   * the host answered, and it is Invalid.
   */
  async add(): Promise<void> {
    if (this.#state.is("Added")) return;
    this.#state.require("add");
    try {
      await this.#peers.vm.modify(addRequest(this.name, this.config));
    } catch (error) {
      this.#state.to("fail");
      throw error;
    }
    this.#state.to("add");
  }

  /**
   * Mounts it in the guest, once.
   *
   * @returns Its path in the guest.
   * @throws {ShimError} FailedPrecondition unless Added, or after a failed mount;
   * NotFound when its mount is not reserved; else what the guest answered.
   */
  async mountInGuest(): Promise<string> {
    if (!this.#state.is("Added")) throw this.#state.refusal("mount");
    if (this.#mount === undefined) {
      throw new ShimError(
        "NotFound",
        `The mount of share ${this.name} of "${this.config.hostPath}" is not reserved`,
      );
    }
    return await this.#mount.mount(this.#peers.guest);
  }

  /**
   * Takes one reference of its mount away; the last one unmounts. Without a
   * mount there is nothing to do.
   *
   * @throws what the guest answered; the reference stays.
   */
  async unmountInGuest(): Promise<void> {
    if (this.#mount === undefined) return;
    await this.#mount.unmount(this.#peers.guest);
    if (this.#mount.references === 0) this.#mount = undefined;
  }

  /**
   * Has the host serve it no more, when nobody holds its mount. (The peer also
   * takes a share away that was not added yet but that others have reserved.)
   * A failed remove can be repeated; a share that the host does not have any
   * more is removed.
   *
   * @throws what the host answered.
   */
  async remove(): Promise<void> {
    if (this.#mount !== undefined || this.#state.is("Removed")) return;
    if (this.#state.is("Added")) {
      await unlessGone(this.#peers.vm.modify(removeRequest(this.name)));
    }
    this.#state.to("remove");
  }
}
