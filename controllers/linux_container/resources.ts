/**
 * What a container holds in host and guest, and in which order it lets go.
 *
 * @module
 */

import { isGone } from "../../base/hresult.ts";
import { Ledger } from "../../base/ledger.ts";
import type { Logger } from "../../base/log.ts";
import type {
  DiskConfig,
  MountConfig,
  ScsiController,
} from "../device/scsi/mod.ts";

/**
 * Kinds of resources in the order of their release: the guest unmounts the root
 * file system and forgets the container before the disks below it go.
 */
export const releaseOrder = [
  "combined layers",
  "guest state",
  "scratch",
  "layer",
  "disk",
] as const;

/** A kind of resource. */
export type ResourceKind = (typeof releaseOrder)[number];

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
   * Reserves a partition, notes it, and makes it appear in the guest.
   *
   * @returns Its path in the guest.
   */
  async mapDisk(
    scsi: Pick<ScsiController, "reserve" | "map" | "unmap">,
    kind: ResourceKind,
    disk: DiskConfig,
    mount: MountConfig,
    signal?: AbortSignal,
  ): Promise<string> {
    signal?.throwIfAborted();
    const id = await scsi.reserve(disk, mount);
    this.add(kind, disk.hostPath, () => scsi.unmap(id));
    return await scsi.map(id, signal);
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
