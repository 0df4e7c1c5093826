/**
 * The real `vmcompute.dll`.
 *
 * @module
 */

import { type DllOpener, SystemDll } from "../library/dll.ts";
import {
  notificationCallback,
  vmComputeInterface,
  type VmComputeLibrary,
} from "../library/vmcompute.ts";

const ole32Interface = {
  CoTaskMemFree: {
    parameters: [
      "pointer", // LPVOID pv
    ],
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const kernel32Interface = {
  lstrlenW: {
    parameters: [
      "pointer", // LPCWSTR lpString
    ],
    result: "i32", // int
  },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * The compute service's DLL of this machine. Nothing is loaded before the first
 * call.
 *
 * The program must leave by `Deno.exit`: the DLL's threads run until then.
 *
 * @param opener How DLLs are opened; tests replace it.
 */
export function systemVmCompute(opener?: DllOpener): VmComputeLibrary {
  const common = opener === undefined ? {} : { opener };
  const vmcompute = new SystemDll("vmcompute.dll", vmComputeInterface, {
    ...common,
    pin: true,
    hint:
      "Enable the Windows features Hyper-V and Containers, then restart the machine",
  });
  const ole32 = new SystemDll("ole32.dll", ole32Interface, common);
  const kernel32 = new SystemDll("kernel32.dll", kernel32Interface, common);
  return {
    dll: vmcompute.name,
    get symbols() {
      return vmcompute.symbols;
    },
    memory: {
      lstrlenW: (text) => kernel32.symbols.lstrlenW(text),
      CoTaskMemFree: (memory) => ole32.symbols.CoTaskMemFree(memory),
    },
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
