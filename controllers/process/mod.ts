/**
 * Processes of containers: init and execs.
 *
 * @module
 */

// Of other rooms: what the signatures below name.
export type { State, States, Transition } from "../../base/states.ts";
export type * from "../../bridge/mod.ts";
export type {
  LoggedProcess,
  LoggingProgram,
  StdioName,
} from "../../hcs/stdio.ts";
export type * from "../../oci/spec.gen.ts";

export {
  type CreateProcess,
  neverRan,
  ProcessController,
  type ProcessDependencies,
  type ProcessIds,
} from "./controller.ts";
export { requireSignal } from "./signals.ts";
export {
  type ProcessEvent,
  type ProcessState,
  processStates,
} from "./states.ts";
export {
  type ExitStatus,
  notExited,
  type ProcessStatus,
  unknownExit,
} from "./status.ts";
export type { ClientStreams, ProcessName, StdioPaths } from "./stdio.ts";
export { runInVm, type VmProcess } from "./vm_process.ts";
