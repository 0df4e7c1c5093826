/**
 * The utility VM of a sandbox.
 *
 * @module
 */

export {
  type CreateVm,
  VmController,
  type VmDependencies,
  type VmExit,
} from "./controller.ts";
export { hcsDocument, type VmDocument } from "./document.ts";
export type {
  DocumentInput,
  HostDevice,
  RuntimeOptions,
  SandboxOptions,
} from "./options.ts";
export { type VmEvent, type VmState, vmStates } from "./states.ts";
export type { VmStats } from "./stats.ts";
export { VmResources } from "./resources.ts";
