/**
 * SCSI disks of a VM: slots, attachments and mounts.
 *
 * **Purpose.** Containers ask for partitions of host disks (layers, scratch,
 * volumes); the {@linkcode ScsiController} gives each disk one of the 4 × 64
 * slots of the VM, attaches it, and has the guest mount the partition below
 * `/run/mounts/scsi/<controller>_<unit>_<partition>`.
 *
 * **Ownership.** One controller per VM, made by the VM controller. It owns slots,
 * disks and mounts; callers own reservations, and only know them by their ids.
 * Two reservations of one host path share the disk, two of one partition share
 * the mount; asking for the same thing in another way is `AlreadyExists`. The
 * disk that the VM boots from has a slot from the start, and keeps it.
 *
 * **Life cycle.** `reserve` → `map` → `unmap`. A disk is Reserved → Attached →
 * Ejected → Detached, a mount Reserved → Mounted → Unmounted (`states.ts`). A
 * failed attach or mount is final for that disk or mount: every holder gives it
 * back, then it can be reserved anew.
 *
 * **Order.** Acquired: slot, host attach, guest mount. Released, each step only
 * for the last holder: guest unmount, guest eject, host remove, slot,
 * reservation.
 *
 * **Idempotency.** `map` may be repeated and calls nobody the second time. A
 * failed `unmap` is repeated with the same id, and goes on where it stopped. A
 * guest or host that answers "gone" has released its part.
 *
 * **Concurrency.** The changes of one disk run one after another in its own
 * queue, those of different disks side by side. `disks`, `reservations` and
 * `capacity` answer at once; the states that they show may change across any
 * await.
 *
 * @example A read-only layer
 * ```ts
 * import { ScsiController } from "./mod.ts";
 *
 * const nothing = { modify: () => Promise.resolve() };
 * const scsi = new ScsiController({ vm: nothing, guest: nothing });
 * const id = await scsi.reserve(
 *   { hostPath: "C:\\layer.vhd", readOnly: true, type: "VirtualDisk" },
 *   { partition: 0, readOnly: true, options: ["ro"] },
 * );
 * console.assert(await scsi.map(id) === "/run/mounts/scsi/0_0_0");
 * await scsi.unmap(id);
 * console.assert(scsi.disks.length === 0);
 * ```
 *
 * @module
 */

export type { DevicePeers, GuestChange } from "../peers.ts";
export type { Address, DiskConfig, DiskType, MountConfig } from "./config.ts";
export { ScsiController } from "./controller.ts";
export type { HeldDisk } from "./disk.ts";
export type { HeldPartition } from "./mount.ts";
export type { DiskState, MountState } from "./states.ts";
