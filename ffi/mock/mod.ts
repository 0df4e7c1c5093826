/**
 * Pretended DLLs: a `vmcompute.dll` that a test scripts, and one that is made of
 * a `ComputeHost`.
 *
 * @module
 */

export { MockHeap } from "./heap.ts";
export { MockVmCompute, mockVmCompute } from "./hcs.ts";
export {
  type ScriptedCall,
  type ScriptedReply,
  scriptedRuntimeId,
  ScriptedVmCompute,
} from "./scripted.ts";
