/**
 * The states of a process.
 *
 * @module
 */

import { defineStates, type States } from "../../base/states.ts";

/** States of a process. */
export type ProcessState = "NotCreated" | "Created" | "Running" | "Terminated";

/** Events of a process. */
export type ProcessEvent =
  | "create"
  | "start"
  | "fail"
  | "kill"
  | "exit"
  | "delete";

/**
 * Life cycle of one process (init or exec) of a container. A kill ends at once
 * what never ran; what runs ends by its exit. `fail` is a start that failed, or
 * a VM that was lost before the start.
 */
export const processStates: States<ProcessState, ProcessEvent> = defineStates(
  "process",
  "NotCreated",
  [
    ["NotCreated", "create", "Created"],
    ["NotCreated", "kill", "Terminated"],
    ["NotCreated", "fail", "Terminated"],
    ["Created", "start", "Running"],
    ["Created", "fail", "Terminated"],
    ["Created", "kill", "Terminated"],
    ["Created", "delete", "Terminated"],
    ["Running", "kill", "Running"],
    ["Running", "exit", "Terminated"],
    ["Terminated", "kill", "Terminated"],
    ["Terminated", "delete", "Terminated"],
  ],
);
