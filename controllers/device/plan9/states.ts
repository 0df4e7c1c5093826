/**
 * The states of a share and of its mount in the guest.
 *
 * @module
 */

import { defineStates, type States } from "../../../base/states.ts";

/** States of a share. */
export type ShareState = "Reserved" | "Added" | "Invalid" | "Removed";

/** Events of a share. */
export type ShareEvent = "add" | "fail" | "remove";

/**
 * Life cycle of a share: its name is reserved, the host adds it and takes it
 * away. A failed add is final; what was never added goes without a call.
 */
export const shareStates: States<ShareState, ShareEvent> = defineStates(
  "share",
  "Reserved",
  [
    ["Reserved", "add", "Added"],
    ["Reserved", "fail", "Invalid"],
    ["Reserved", "remove", "Removed"],
    ["Added", "remove", "Removed"],
    ["Invalid", "remove", "Removed"],
  ],
);

/** States of the mount of a share. */
export type ShareMountState = "Reserved" | "Mounted" | "Invalid" | "Unmounted";

/** Events of the mount of a share. */
export type ShareMountEvent = "mount" | "fail" | "unmount";

/**
 * Life cycle of the mount of a share in the guest. A failed mount is final; it
 * and one that was never made go without a call.
 */
export const shareMountStates: States<ShareMountState, ShareMountEvent> =
  defineStates("share mount", "Reserved", [
    ["Reserved", "mount", "Mounted"],
    ["Reserved", "fail", "Invalid"],
    ["Reserved", "unmount", "Unmounted"],
    ["Invalid", "unmount", "Unmounted"],
    ["Mounted", "unmount", "Unmounted"],
  ]);
