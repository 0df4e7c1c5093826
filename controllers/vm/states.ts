/**
 * The states of a VM.
 *
 * @module
 */

import { defineStates, type States } from "../../base/states.ts";

/** States of a VM. */
export type VmState =
  | "NotCreated"
  | "Created"
  | "Running"
  | "Terminated"
  | "Invalid";

/** Events of a VM. */
export type VmEvent = "create" | "start" | "fail" | "exit" | "terminate";

/**
 * Life cycle of a VM. `fail` is a start that failed or a handle that cannot be
 * closed: only a terminate helps then. `exit` is an end that nobody asked for.
 */
export const vmStates: States<VmState, VmEvent> = defineStates(
  "VM",
  "NotCreated",
  [
    ["NotCreated", "create", "Created"],
    ["Created", "start", "Running"],
    ["Created", "fail", "Invalid"],
    ["Running", "fail", "Invalid"],
    ["Invalid", "fail", "Invalid"],
    ["Created", "exit", "Terminated"],
    ["Running", "exit", "Terminated"],
    ["Invalid", "exit", "Terminated"],
    ["Created", "terminate", "Terminated"],
    ["Running", "terminate", "Terminated"],
    ["Invalid", "terminate", "Terminated"],
  ],
);
