/**
 * Directories and files of the host that a VM sees, shared over 9p.
 *
 * **Purpose.** Containers ask for bind mounts of host directories or single
 * files; the {@linkcode Plan9Controller} has the host serve the directory on
 * vsock port 564, and the guest mount it at `/run/mounts/plan9/<name>`. A single
 * file is a restricted share of its directory that shows only that name.
 *
 * **Ownership.** One controller per VM, made by the VM controller. It owns shares
 * and mounts; callers own reservations, and only know them by their ids. There is
 * one share per host path, and one mount per share; asking for the same path in
 * another way is `AlreadyExists`. Names are decimal numbers that count up and are
 * never used again. A sandbox may forbid writable shares.
 *
 * **Life cycle.** `reserve` → `map` → `unmap`. A share is Reserved → Added →
 * Removed, its mount Reserved → Mounted → Unmounted (`states.ts`). A failed add
 * or mount is final for that share: every holder gives it back, then the path can
 * be reserved anew.
 *
 * **Order.** Acquired: name, host add, guest mount. Released, by the last
 * holder: guest unmount, host remove, path, reservation.
 *
 * **Idempotency.** `map` may be repeated and calls nobody the second time. A
 * failed `unmap` is repeated with the same id, and goes on where it stopped. A
 * guest or host that answers "gone" has released its part.
 *
 * **Concurrency.** The changes of one share run one after another in its own
 * queue, those of different shares side by side. `shares` and `reservations`
 * answer at once; the states that they show may change across any await.
 *
 * @example A single file, read-only
 * ```ts
 * import { Plan9Controller } from "./mod.ts";
 *
 * const nothing = { modify: () => Promise.resolve() };
 * const plan9 = new Plan9Controller({ vm: nothing, guest: nothing });
 * const id = await plan9.reserve({
 *   hostPath: "C:\\conf\\",
 *   readOnly: true,
 *   restrict: true,
 *   allowedNames: ["app.ini"],
 * }, { readOnly: true });
 * console.assert(await plan9.map(id) === "/run/mounts/plan9/0");
 * await plan9.unmap(id);
 * console.assert(plan9.shares.length === 0);
 * ```
 *
 * @module
 */

// Of another room: what the signatures below name.
export type { HostFiles } from "../../../hcs/ports.ts";

export type { DevicePeers, GuestChange } from "../peers.ts";
export type { ShareConfig, ShareMountConfig } from "./config.ts";
export { Plan9Controller, type Plan9Options } from "./controller.ts";
export {
  type PathFiles,
  planShare,
  shareForLife,
  type SharePlan,
} from "./host_path.ts";
export type { HeldShareMount } from "./mount.ts";
export type { HeldShare } from "./share.ts";
export type { ShareMountState, ShareState } from "./states.ts";
