/**
 * Windows natively: the compute service through `vmcompute.dll`, and the host's
 * files. Every module can be imported on every system; a DLL is opened at first
 * use. `host.ts` makes the ports of it.
 *
 * @module
 */

export { SystemDll } from "./library/dll.ts";
export { WindowsFiles } from "./host_files.ts";
export { blockingSlots, NativeCalls } from "./library/native_calls.ts";
export { NotificationType } from "./compute/notifications.ts";
export { decodeUtf16, encodeUtf16, takeUtf16 } from "./library/utf16.ts";
export { VmCompute, type VmComputeOptions } from "./compute/vmcompute.ts";
export { systemVmCompute } from "./compute/vmcompute_library.ts";
export {
  vmComputeInterface,
  type VmComputeLibrary,
  type VmComputeSymbols,
} from "./library/vmcompute.ts";
