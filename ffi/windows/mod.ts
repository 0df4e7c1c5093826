/**
 * Windows natively: the compute service through `vmcompute.dll`, and the host's
 * files. Every module can be imported on every system; a DLL is opened at first
 * use. `host.ts` makes the ports of it.
 *
 * @module
 */

export { SystemDll } from "./dll.ts";
export { WindowsFiles } from "./host_files.ts";
export { blockingSlots, NativeCalls } from "./native_calls.ts";
export { NotificationType } from "./notifications.ts";
export { decodeUtf16, encodeUtf16, takeUtf16 } from "./utf16.ts";
export { VmCompute, type VmComputeOptions } from "./vmcompute.ts";
export { systemVmCompute } from "./vmcompute_library.ts";
export {
  vmComputeInterface,
  type VmComputeLibrary,
  type VmComputeSymbols,
} from "./vmcompute_symbols.ts";
