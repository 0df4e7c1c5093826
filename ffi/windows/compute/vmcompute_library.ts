/**
 * The real `vmcompute.dll`.
 *
 * @module
 */

import { type DllOpener, SystemDll } from "../library/dll.ts";
import { taskMemory } from "../library/ole32.ts";
import {
  notificationCallback,
  vmComputeInterface,
  type VmComputeLibrary,
} from "../library/vmcompute.ts";

/**
 * The compute service's DLL of this machine. Nothing is loaded before the first
 * call.
 *
 * The program must leave by `Deno.exit`: the DLL's threads run until then.
 *
 * @param opener How DLLs are opened; tests replace it.
 */
export function systemVmCompute(opener?: DllOpener): VmComputeLibrary {
  const vmcompute = new SystemDll("vmcompute.dll", vmComputeInterface, {
    opener,
    pin: true,
    hint:
      "Enable the Windows features Hyper-V and Containers, then restart the machine",
  });
  return {
    dll: vmcompute.name,
    get symbols() {
      return vmcompute.symbols;
    },
    memory: taskMemory(opener),
    callback: (receiver) => {
      // Never closed: a late invocation of a closed callback ends the process.
      const callback = Deno.UnsafeCallback.threadSafe(
        notificationCallback,
        receiver,
      );
      callback.unref();
      return callback.pointer;
    },
  };
}
