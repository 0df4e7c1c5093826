/**
 * The states of a SCSI disk and of one mounted partition of it.
 *
 * @module
 */

import { defineStates, type States } from "../../../base/states.ts";

/** States of a disk. */
export type DiskState = "Reserved" | "Attached" | "Ejected" | "Detached";

/** Events of a disk. */
export type DiskEvent = "attach" | "fail" | "eject" | "remove";

/**
 * Life cycle of a disk: the slot is reserved, the host attaches, the guest
 * ejects, the host removes. An ejected disk whose removal failed is removed
 * without a second eject.
 */
export const diskStates: States<DiskState, DiskEvent> = defineStates(
  "disk",
  "Reserved",
  [
    ["Reserved", "attach", "Attached"],
    ["Reserved", "fail", "Detached"],
    ["Attached", "eject", "Ejected"],
    ["Ejected", "remove", "Detached"],
  ],
);

/** States of a mounted partition. */
export type MountState = "Reserved" | "Mounted" | "Unmounted";

/** Events of a mounted partition. */
export type MountEvent = "mount" | "fail" | "unmount";

/** Life cycle of a partition in the guest. A failed mount is never retried. */
export const mountStates: States<MountState, MountEvent> = defineStates(
  "mount",
  "Reserved",
  [
    ["Reserved", "mount", "Mounted"],
    ["Reserved", "fail", "Unmounted"],
    ["Mounted", "unmount", "Unmounted"],
  ],
);
