/**
 * The states of a container.
 *
 * @module
 */

import { defineStates, type States } from "../../base/states.ts";

/** States of a container. */
export type ContainerState =
  | "NotCreated"
  | "Created"
  | "Running"
  | "Stopped"
  | "Invalid";

/** Events of a container. */
export type ContainerEvent = "create" | "start" | "fail" | "exit";

/**
 * Life cycle of a container. `exit` is the end of its init process, which may
 * come before the start: a kill of what never ran, or a lost VM.
 */
export const containerStates: States<ContainerState, ContainerEvent> =
  defineStates("container", "NotCreated", [
    ["NotCreated", "create", "Created"],
    ["NotCreated", "fail", "Invalid"],
    ["Created", "start", "Running"],
    ["Created", "fail", "Invalid"],
    ["Created", "exit", "Stopped"],
    ["Running", "exit", "Stopped"],
  ]);
