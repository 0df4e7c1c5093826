/**
 * What a confidential VM demands of mounts beside what every VM does
 * (`spec/guest-runtime.md` 11.4).
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import { SerialQueue } from "../../base/queue.ts";
import type {
  MappedDirectory,
  MappedVirtualDisk,
  VPMemDevice,
} from "../../bridge/messages.gen.ts";
import { HostMounts, type Undo } from "./host_mounts.ts";
import type { Overlay } from "./overlay.ts";

/** A change of the record, and how it is taken back. */
export type Change = (mounts: HostMounts) => Undo;

/**
 * The guard of a VM's mounts. It lets everything pass until a policy is set; from
 * then on mounts are recorded, one change after another, and a failed unmount
 * makes the VM refuse every further one, because nobody knows then what is
 * mounted.
 */
export class Confidential {
  #mounts: HostMounts | undefined;
  #cause: { readonly error: unknown } | undefined;
  readonly #queue = new SerialQueue();

  /** True once a policy is set. */
  get isActive(): boolean {
    return this.#mounts !== undefined;
  }

  /** A policy is set. What is mounted from now on is recorded. */
  start(): void {
    this.#mounts ??= new HostMounts();
  }

  /**
   * @param what What is to be done, for the message of the error.
   * @throws {ShimError} FailedPrecondition after a failed unmount, with the
   * first one as its cause.
   */
  requireConsistent(what: string): void {
    if (this.#cause === undefined) return;
    const { error: cause } = this.#cause;
    throw new ShimError(
      "FailedPrecondition",
      `Cannot ${what}: an unmount of this confidential VM has failed ` +
        `(${messageOf(cause)})`,
      { cause },
    );
  }

  /** True when an overlay is recorded at exactly this path. */
  hasOverlayAt(path: string): boolean {
    return this.#mounts?.hasOverlayAt(path) ?? false;
  }

  /** True when what is written to a path is known to be encrypted. */
  isEncrypted(path: string): boolean {
    return this.#mounts?.isEncrypted(path) ?? false;
  }

  /**
   * Mounts. REF keeps the record of a mount that failed; we take it back.
   *
   * @param change Undefined for mounts that are not recorded.
   * @throws {ShimError} The refusal of the record; what `task` throws.
   */
  async mount(
    change: Change | undefined,
    task: () => Promise<void>,
  ): Promise<void> {
    await this.#serially("mount", async (mounts) => {
      const undo = change?.(mounts);
      try {
        await task();
      } catch (error) {
        undo?.();
        throw error;
      }
    }, task);
  }

  /**
   * Unmounts. What is not recorded was not mounted by the host: it stays, and
   * that is a success.
   *
   * @param recorded The path and how the record changes; undefined for mounts
   * that are not recorded.
   * @throws {ShimError} The refusal of the record; what `task` throws.
   */
  async unmount(
    recorded: { readonly path: string; readonly change: Change } | undefined,
    task: () => Promise<void>,
  ): Promise<void> {
    await this.#serially("unmount", async (mounts) => {
      if (recorded !== undefined && !mounts.has(recorded.path)) return;
      const undo = recorded?.change(mounts);
      try {
        await task();
      } catch (error) {
        undo?.();
        this.#cause ??= { error };
        throw error;
      }
    }, task);
  }

  async #serially(
    what: string,
    guarded: (mounts: HostMounts) => Promise<void>,
    free: () => Promise<void>,
  ): Promise<void> {
    const mounts = this.#mounts;
    if (mounts === undefined) return await free();
    await this.#queue.run(async () => {
      this.requireConsistent(what);
      await guarded(mounts);
    });
  }
}

function refuse(what: string, reason: string): never {
  throw new ShimError(
    "PermissionDenied",
    `Cannot mount ${what} in a confidential VM: ${reason}`,
  );
}

/**
 * Checks a disk.
 *
 * @throws {ShimError} PermissionDenied.
 */
export function requireConfidentialDisk(disk: MappedVirtualDisk): void {
  const { ReadOnly, Options = [], Filesystem = "" } = disk;
  const expected = ReadOnly ? ["ro"] : [];
  if (Options.join() !== expected.join()) {
    refuse("a disk", `its options are ${JSON.stringify(Options)}`);
  }
  if (ReadOnly && Filesystem !== "" && Filesystem !== "ext4") {
    refuse("a read-only disk", `its file system is "${Filesystem}", not ext4`);
  }
}

/**
 * Checks a share.
 *
 * @throws {ShimError} PermissionDenied.
 */
export function requireConfidentialShare(share: MappedDirectory): void {
  const { ShareName = "" } = share;
  if (!/^[0-9]+$/.test(ShareName)) {
    refuse("a share", `its name ${JSON.stringify(ShareName)} is no number`);
  }
}

/**
 * Checks a persistent memory device.
 *
 * @throws {ShimError} PermissionDenied.
 */
export function requireConfidentialPmem(device: VPMemDevice): void {
  if (device.MappingInfo === undefined) return;
  refuse(
    "a part of a persistent memory device",
    "only whole ones are verified",
  );
}

const containers = "/run/gcs/c";
const scratchForm = /^\/run\/gcs\/c\/[0-9a-f]{64}\/scratch\/([^/]+)$/;

/**
 * Checks the places of an overlay.
 *
 * @param id The container that it is for.
 * @throws {ShimError} PermissionDenied.
 */
export function requireConfidentialOverlay(overlay: Overlay, id: string): void {
  const { root, scratch } = overlay;
  const isId = id !== "" && !id.includes("/");
  if (!isId || root !== `${containers}/${id}/rootfs`) {
    refuse("an overlay", `"${root}" is not the root of container "${id}"`);
  }
  if (scratch !== "" && scratchForm.exec(scratch)?.[1] !== id) {
    refuse("an overlay", `"${scratch}" is no scratch of container "${id}"`);
  }
}
