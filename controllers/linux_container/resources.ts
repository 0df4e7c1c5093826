/**
 * What a container holds in host and guest, and in which order it lets go.
 *
 * @module
 */

import { isGone } from "../../base/hresult.ts";
import { Ledger } from "../../base/ledger.ts";
import type { Logger } from "../../base/log.ts";

/**
 * Kinds of resources in the order of their release: the guest unmounts the root
 * file system and forgets the container before the disks below it go; shares and
 * devices, which nothing stands on, go last.
 */
export const releaseOrder = [
  "combined layers",
  "guest state",
  "scratch",
  "layer",
  "disk",
  "share",
  "device",
] as const;

/** A kind of resource. */
export type ResourceKind = (typeof releaseOrder)[number];

/** Devices of one class, as their controller hands them out. */
export interface DeviceClass<Wanted extends readonly unknown[]> {
  /** Reserves one. @returns The id of the reservation. */
  reserve(...wanted: Wanted): Promise<string>;
  /** Gives it to the VM. @returns Its name in the guest. */
  map(id: string, signal?: AbortSignal): Promise<string>;
  /** Gives the reservation back. */
  unmap(id: string): Promise<void>;
}

/** The resources of one container. */
export class ContainerResources {
  readonly #ledger: Ledger<ResourceKind>;

  /** @param log Where {@linkcode ContainerResources.releaseLogged} reports. */
  constructor(log: Logger) {
    this.#ledger = new Ledger(releaseOrder, log);
  }

  /** True while nothing is held. */
  get isEmpty(): boolean {
    return this.#ledger.entries.length === 0;
  }

  /**
   * Notes a resource. A release that fails because guest or VM are gone has
   * nothing left to do.
   */
  add(kind: ResourceKind, key: string, release: () => Promise<void>): void {
    this.#ledger.add({
      kind,
      key,
      release: async () => {
        try {
          await release();
        } catch (error) {
          if (!isGone(error)) throw error;
        }
      },
    });
  }

  /**
   * Reserves a device, notes it, and makes it appear in the guest.
   *
   * @param kind What it is for this container.
   * @param key What it is on the host, for people.
   * @param devices Its controller.
   * @param wanted What is reserved.
   * @param signal Ends it between two steps.
   * @returns Its path or id in the guest.
   */
  async map<Wanted extends readonly unknown[]>(
    kind: ResourceKind,
    key: string,
    devices: DeviceClass<Wanted>,
    wanted: Wanted,
    signal?: AbortSignal,
  ): Promise<string> {
    signal?.throwIfAborted();
    const id = await devices.reserve(...wanted);
    this.add(kind, key, () => devices.unmap(id));
    return await devices.map(id, signal);
  }

  /** Releases everything. @throws The first failure; the rest stays held. */
  release(): Promise<void> {
    return this.#ledger.release();
  }

  /** Releases everything that it can; what stays is logged. */
  releaseLogged(): Promise<void> {
    return this.#ledger.releaseLogged();
  }
}
