/**
 * Windows natively: compute service, network service, disks, named pipes and
 * Hyper-V sockets. Every module can be imported on every system; a DLL is opened
 * at first use. `host.ts` makes the ports of it.
 *
 * @module
 */

export { ComputeCore } from "./compute/computecore.ts";
export { systemComputeCore } from "./compute/computecore_library.ts";
export { CoreSystem } from "./compute/core_system.ts";
export { VmComputeSystem } from "./compute/compute_system.ts";
export { NotificationType } from "./compute/notifications.ts";
export { VmCompute, type VmComputeOptions } from "./compute/vmcompute.ts";
export { systemVmCompute } from "./compute/vmcompute_library.ts";
export { WindowsFiles } from "./host_files.ts";
export { dialHv } from "./io/hv_dial.ts";
export { HvListener } from "./io/hv_listener.ts";
export { LogPipe } from "./io/log_pipe.ts";
export { dialPipe } from "./io/pipe.ts";
export { PipeListener } from "./io/pipe_listener.ts";
export {
  type IoLibraries,
  systemIoLibraries,
  WindowsIo,
} from "./io/windows_io.ts";
export { type DllOpener, SystemDll } from "./library/dll.ts";
export { blockingSlots, NativeCalls } from "./library/native_calls.ts";
export { decodeUtf16, encodeUtf16, takeUtf16 } from "./library/utf16.ts";
export {
  vmComputeInterface,
  type VmComputeLibrary,
  type VmComputeSymbols,
} from "./library/vmcompute.ts";
export { ComputeNetwork } from "./network/computenetwork.ts";
export { systemComputeNetwork } from "./network/computenetwork_library.ts";
export { systemVirtDisk } from "./storage/virtdisk_library.ts";
export { VirtualDisks } from "./storage/virtual_disks.ts";
export { NamedEvent } from "./system/named_event.ts";
