/**
 * The directories of the host that one VM sees: who shares which one, and when
 * it may go.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import type { DevicePeers } from "../peers.ts";
import {
  type Claim,
  makeOrJoin,
  requireHeld,
  Reservations,
} from "../sharing.ts";
import {
  sameShare,
  type ShareConfig,
  type ShareMountConfig,
} from "./config.ts";
import { type HeldShare, Share } from "./share.ts";

/** What a sandbox allows. */
export interface Plan9Options {
  /** Whether host directories may be shared only read-only. Default false. */
  readonly noWritableFileShares?: boolean;
}

/** A claim on the mount of a share. */
interface Reservation extends Claim {
  readonly share: Share;
}

/**
 * Hands out shares: two reservations of one host path have one share with one
 * mount.
 *
 * Changes of one share are ordered; those of different shares run side by side.
 */
export class Plan9Controller {
  readonly #peers: DevicePeers;
  readonly #noWritableFileShares: boolean;
  readonly #byPath = new Map<string, Share>();
  readonly #reservations = new Reservations<Reservation>("Plan9");
  /** Names are never used twice: a late unmount must not reach another share. */
  #nextName = 0;

  /**
   * A VM without shares.
   *
   * @param peers The VM and its agent.
   * @param options What its sandbox allows.
   */
  constructor(peers: DevicePeers, options: Plan9Options = {}) {
    this.#peers = peers;
    this.#noWritableFileShares = options.noWritableFileShares ?? false;
  }

  /** The shares that somebody holds now, in the order of their names. */
  get shares(): readonly HeldShare[] {
    return [...this.#byPath.values()];
  }

  /** How many reservations are not given back yet. */
  get reservations(): number {
    return this.#reservations.size;
  }

  /**
   * Reserves a share and its mount; touches neither host nor guest.
   *
   * Waits while the same share is being added or taken away.
   *
   * @returns The id of the reservation, for {@linkcode Plan9Controller.map} and
   * {@linkcode Plan9Controller.unmap}.
   * @throws {ShimError} PermissionDenied for a writable share when the sandbox
   * has none; AlreadyExists when the path is shared or mounted in another way;
   * FailedPrecondition while others still hold a share whose add or mount failed.
   */
  async reserve(share: ShareConfig, mount: ShareMountConfig): Promise<string> {
    if (this.#noWritableFileShares && !share.readOnly) {
      throw new ShimError(
        "PermissionDenied",
        `Cannot share "${share.hostPath}": adding writable shares is denied: operation denied by the options of the sandbox; mount it read-only`,
      );
    }
    return await makeOrJoin(
      () => this.#byPath.get(share.hostPath),
      () => this.#enter(this.#make(share), mount),
      (known) => this.#join(known, share, mount),
    );
  }

  /**
   * Has the host serve the share and the guest mount it, each once however many
   * reservations there are.
   *
   * @param id A reservation.
   * @param signal Ends it between the two steps.
   * @returns The path of the share in the guest.
   * @throws {ShimError} NotFound for an unknown reservation, FailedPrecondition
   * after a failed map or unmap; else what host or guest answered. The
   * reservation stays, for {@linkcode Plan9Controller.unmap}.
   */
  async map(id: string, signal?: AbortSignal): Promise<string> {
    const { share } = this.#reservations.get(id);
    return await share.queue.run(async () => {
      // Looked up again: an earlier call for the same id may have ended it.
      requireHeld(
        this.#reservations.get(id),
        `share "${share.config.hostPath}"`,
      );
      signal?.throwIfAborted();
      await share.add();
      signal?.throwIfAborted();
      return await share.mountInGuest();
    });
  }

  /**
   * Gives a reservation back: the last one has the guest unmount the share and
   * the host serve it no more.
   *
   * A failed call can be repeated with the same id; what succeeded is not done
   * again. What is gone already is a success.
   *
   * @throws {ShimError} NotFound for an unknown reservation; else what guest or
   * host answered.
   */
  async unmap(id: string): Promise<void> {
    const { share } = this.#reservations.get(id);
    await share.queue.run(async () => {
      const reservation = this.#reservations.get(id);
      if (reservation.isHeld) {
        await share.unmountInGuest();
        reservation.isHeld = false;
      }
      await share.remove();
      this.#reservations.delete(id);
      if (share.state === "Removed") this.#forget(share);
    });
  }

  #make(config: ShareConfig): Share {
    const share = new Share(this.#peers, String(this.#nextName++), config);
    this.#byPath.set(config.hostPath, share);
    return share;
  }

  #join(share: Share, config: ShareConfig, mount: ShareMountConfig): string {
    if (!sameShare(share.config, config)) {
      throw new ShimError(
        "AlreadyExists",
        `Cannot share "${config.hostPath}" with different config: it is in use ${
          inWords(share.config)
        }`,
      );
    }
    return this.#enter(share, mount);
  }

  #enter(share: Share, mount: ShareMountConfig): string {
    share.reserve(mount);
    return this.#reservations.add({ share, isHeld: true });
  }

  /** Forgets a share, unless its path has a new one already. */
  #forget(share: Share): void {
    const { hostPath } = share.config;
    if (this.#byPath.get(hostPath) === share) this.#byPath.delete(hostPath);
  }
}

function inWords(
  { readOnly, restrict, allowedNames = [] }: ShareConfig,
): string {
  const mode = readOnly ? "read-only" : "writable";
  if (!restrict) return mode;
  const names = allowedNames.map((name) => `"${name}"`).join(", ");
  return `${mode}, restricted to ${names || "no file"}`;
}
