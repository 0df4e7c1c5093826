/**
 * The states of an assigned PCI device.
 *
 * @module
 */

import { defineStates, type States } from "../../../base/states.ts";

/** States of a device. */
export type DeviceState =
  | "Reserved"
  | "Assigned"
  | "Ready"
  | "AssignedInvalid"
  | "Removed";

/** Events of a device. */
export type DeviceEvent = "assign" | "ready" | "fail" | "remove";

/**
 * Life cycle of a device: the host assigns it to the VM, the guest says that it
 * is ready, the host takes it back. `fail` is an assignment that failed (the
 * host has nothing to take back), a guest that does not see the device, or a
 * device that cannot be taken back: only a remove helps then.
 */
export const deviceStates: States<DeviceState, DeviceEvent> = defineStates(
  "device",
  "Reserved",
  [
    ["Reserved", "assign", "Assigned"],
    ["Reserved", "fail", "Removed"],
    ["Reserved", "remove", "Removed"],
    ["Assigned", "ready", "Ready"],
    ["Assigned", "fail", "AssignedInvalid"],
    ["Assigned", "remove", "Removed"],
    ["Ready", "fail", "AssignedInvalid"],
    ["Ready", "remove", "Removed"],
    ["AssignedInvalid", "fail", "AssignedInvalid"],
    ["AssignedInvalid", "remove", "Removed"],
  ],
);
