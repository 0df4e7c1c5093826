/**
 * Pretended DLLs: a `vmcompute.dll` that is made of a `ComputeHost`, and DLLs
 * whose answers a test scripts.
 *
 * @module
 */

export { FakeOpener } from "./fake_opener.ts";
export { MockHeap } from "./heap.ts";
export { MockVmCompute, mockVmCompute } from "./hcs.ts";
export type { Completion } from "./operations.ts";
export { scriptedRuntimeId, ScriptedVmCompute } from "./scripted.ts";
export {
  ScriptedComputeCore,
  type ScriptedCoreReply,
} from "./scripted_core.ts";
export { ScriptedCoreService } from "./scripted_core_service.ts";
export {
  type CallParameters,
  type ScriptedCall,
  ScriptedLibrary,
  type ScriptedReply,
} from "./scripted_library.ts";
export { ScriptedComputeNetwork } from "./scripted_network.ts";
export { ScriptedService } from "./scripted_service.ts";
export { ScriptedVirtDisk } from "./scripted_virtdisk.ts";
