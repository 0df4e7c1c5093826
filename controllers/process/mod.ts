/**
 * Processes of containers: init and execs.
 *
 * @module
 */

export {
  type CreateProcess,
  type ExitStatus,
  ProcessController,
  type ProcessDependencies,
  type ProcessIds,
  type ProcessStatus,
} from "./controller.ts";
export { requireSignal } from "./signals.ts";
export {
  type ProcessEvent,
  type ProcessState,
  processStates,
} from "./states.ts";
export type { OpenStdio, StdioPaths } from "./stdio.ts";
