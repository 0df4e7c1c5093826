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
import { isConfidentialId } from "../policy/ids.ts";
import { HostMounts, type Undo } from "./host_mounts.ts";
import type { Overlay } from "./overlay.ts";

/** A change of the record, and how it is taken back. */
export type Change = (mounts: HostMounts) => Undo;

/** A mount. */
export interface MountStep {
  /** Throws what speaks against it, before anything is changed. */
  readonly allow?: () => Promise<unknown>;
  /** Changes the record; absent for mounts that are not recorded. */
  readonly change?: Change;
  /** Does it. */
  readonly run: () => Promise<void>;
}

/** The end of a mount. */
export interface UnmountStep extends MountStep {
  /** Where it is recorded; absent for mounts that are not. */
  readonly path?: string;
}

/**
 * The guard of a VM's mounts. It lets everything pass until a policy is set; from
 * then on mounts are recorded, one change after another, and a failed unmount
 * makes the VM refuse every further one, because nobody knows then what is
 * mounted.
 */
export class Confidential {
  /** Folder of the containers: nothing of one may lie elsewhere. */
  readonly containers: string;
  #mounts: HostMounts | undefined;
  #cause: { readonly error: unknown } | undefined;
  readonly #queue = new SerialQueue();

  /** @param containers Folder of the containers; that of hosts when absent. */
  constructor(containers = "/run/gcs/c") {
    this.containers = containers;
  }

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
   * @param step What is allowed, recorded and done, in this order; no other
   * change comes between.
   * @throws {ShimError} The refusal of the record; what the step throws.
   */
  async mount(step: MountStep): Promise<void> {
    await this.#serially("mount", step, async (mounts) => {
      const undo = step.change?.(mounts);
      try {
        await step.run();
      } catch (error) {
        undo?.();
        throw error;
      }
    });
  }

  /**
   * Unmounts. What is not recorded was not mounted by the host: it stays, and
   * that is a success.
   *
   * @param step The same, with the path by which the mount is recorded.
   * @throws {ShimError} The refusal of the record; what the step throws.
   */
  async unmount(step: UnmountStep): Promise<void> {
    await this.#serially("unmount", step, async (mounts) => {
      const { path, change, run } = step;
      if (path !== undefined && !mounts.has(path)) return;
      const undo = change?.(mounts);
      try {
        await run();
      } catch (error) {
        undo?.();
        this.#cause ??= { error };
        throw error;
      }
    });
  }

  async #serially(
    what: string,
    { allow, run }: MountStep,
    guarded: (mounts: HostMounts) => Promise<void>,
  ): Promise<void> {
    const mounts = this.#mounts;
    if (mounts === undefined) {
      await allow?.();
      return await run();
    }
    await this.#queue.run(async () => {
      this.requireConsistent(what);
      await allow?.();
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

/**
 * Checks the places of an overlay.
 *
 * @param id The container that it is for.
 * @param containers Folder of the containers.
 * @throws {ShimError} PermissionDenied.
 */
export function requireConfidentialOverlay(
  overlay: Overlay,
  id: string,
  containers: string,
): void {
  const { root, scratch } = overlay;
  const isId = id !== "" && !id.includes("/");
  if (!isId || root !== `${containers}/${id}/rootfs`) {
    refuse("an overlay", `"${root}" is not the root of container "${id}"`);
  }
  if (scratch === "") return;
  // The scratch of a workload may lie in the folder of its sandbox.
  const [owner = ""] = scratch.slice(containers.length + 1).split("/");
  const isRight = isConfidentialId(owner) &&
    scratch === `${containers}/${owner}/scratch/${id}`;
  if (!isRight) {
    refuse("an overlay", `"${scratch}" is no scratch of container "${id}"`);
  }
}
