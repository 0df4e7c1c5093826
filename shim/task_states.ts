/**
 * The states of a registered task, beside those of its container.
 *
 * @module
 */

import { defineStates, type States } from "../base/states.ts";

/** States of a task. */
export type TaskState = "Creating" | "Ready" | "Gone";

/** Events of a task. */
export type TaskEvent = "create" | "fail" | "delete";

/** A task is registered before its container exists, so that its id is taken. */
export const taskStates: States<TaskState, TaskEvent> = defineStates(
  "task",
  "Creating",
  [
    ["Creating", "create", "Ready"],
    ["Creating", "fail", "Gone"],
    ["Ready", "delete", "Gone"],
  ],
);
