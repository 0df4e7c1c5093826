/**
 * Virtual disks as files of the host: scratch disks are made here, empty. Their
 * file systems are made by the guest (`EnsureFilesystem` of a mapped disk), so
 * `computestorage.dll`, which formats disks on the host, is not needed.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import type { VmComputeOptions } from "../compute/vmcompute.ts";
import type { VirtDiskLibrary } from "../library/virtdisk.ts";
import { DiskCalls } from "./disk_calls.ts";

/** Sizes of disks are multiples of this many bytes. */
const sectorSize = 512n;

/**
 * The virtual disks of this machine. Every method rejects with an `HResultError`
 * for what Windows answered, and with DeadlineExceeded when it does not answer.
 * Handles are closed in every case.
 *
 * @example Over a mock
 * ```ts
 * import { ScriptedVirtDisk } from "../../mock/scripted_virtdisk.ts";
 * import { VirtualDisks } from "./virtual_disks.ts";
 * const disks = new VirtualDisks(new ScriptedVirtDisk());
 * await disks.create("C:\\scratch.vhdx", 20n << 30n);
 * console.assert(await disks.size("C:\\scratch.vhdx") === 20n << 30n);
 * ```
 */
export class VirtualDisks {
  readonly #calls: DiskCalls;

  /**
   * @param library The DLL, or a mock of it.
   * @param options `systemCall` of the timeouts is used.
   */
  constructor(library: VirtDiskLibrary, options: VmComputeOptions = {}) {
    this.#calls = new DiskCalls(library, options);
  }

  /**
   * Makes an empty dynamic VHDX, with the security that its folder gives. A create
   * that is given up may still make the file.
   *
   * @param path File that does not exist.
   * @param bytes Size as the guest sees it, a multiple of 512.
   * @throws {HResultError} AlreadyExists when the file is there.
   * @throws {ShimError} InvalidArgument for an impossible size.
   */
  async create(
    path: string,
    bytes: bigint,
    signal?: AbortSignal,
  ): Promise<void> {
    const subject = `Cannot create the disk "${path}"`;
    requireSize(subject, bytes);
    await this.#calls.run(
      subject,
      signal,
      (work) => this.#calls.create(work, path, bytes),
    );
  }

  /**
   * Makes a disk larger. One that has this size already is left alone. No VM may
   * have it.
   *
   * @param path A virtual disk.
   * @param bytes New size as the guest sees it, a multiple of 512.
   * @throws {ShimError} InvalidArgument when the disk is larger, or for an impossible size.
   * @throws {HResultError} NotFound when there is no such file.
   */
  async grow(path: string, bytes: bigint, signal?: AbortSignal): Promise<void> {
    const subject = `Cannot grow the disk "${path}"`;
    requireSize(subject, bytes);
    const calls = this.#calls;
    await calls.run(
      subject,
      signal,
      (work) =>
        calls.withDisk(work, path, false, async (handle) => {
          const size = await calls.size(work, handle);
          if (size > bytes) {
            throw new ShimError(
              "InvalidArgument",
              `${subject} to ${bytes} bytes: it has ${size}, and what lies beyond would be lost`,
            );
          }
          if (size < bytes) await calls.resize(work, handle, bytes);
        }),
    );
  }

  /**
   * The size of a disk as the guest sees it, in bytes. A VM may have it.
   *
   * @throws {HResultError} NotFound when there is no such file.
   */
  size(path: string, signal?: AbortSignal): Promise<bigint> {
    const calls = this.#calls;
    const subject = `Cannot tell the size of the disk "${path}"`;
    return calls.run(
      subject,
      signal,
      (work) =>
        calls.withDisk(work, path, true, (handle) => calls.size(work, handle)),
    );
  }
}

function requireSize(subject: string, bytes: bigint): void {
  if (bytes > 0n && bytes % sectorSize === 0n) return;
  throw new ShimError(
    "InvalidArgument",
    `${subject}: its size of ${bytes} bytes is not a positive multiple of ${sectorSize}`,
  );
}
