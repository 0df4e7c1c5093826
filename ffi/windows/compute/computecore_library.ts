/**
 * The real `computecore.dll`.
 *
 * @module
 */

import {
  completionCallback,
  computeCoreInterface,
  type ComputeCoreLibrary,
  eventCallback,
} from "../library/computecore.ts";
import { type DllOpener, SystemDll } from "../library/dll.ts";
import { kernel32Dll } from "../library/kernel32.ts";

/**
 * The newer DLL of the compute service of this machine. Nothing is loaded before
 * the first call.
 *
 * The program must leave by `Deno.exit`: the DLL's threads run until then.
 *
 * @param opener How DLLs are opened; tests replace it.
 */
export function systemComputeCore(opener?: DllOpener): ComputeCoreLibrary {
  const computecore = new SystemDll("computecore.dll", computeCoreInterface, {
    opener,
    pin: true,
    hint:
      "Enable the Windows features Hyper-V and Containers, then restart the machine",
  });
  const kernel32 = kernel32Dll(opener);
  return {
    dll: computecore.name,
    get symbols() {
      return computecore.symbols;
    },
    memory: {
      lstrlenW: (text) => kernel32.symbols.lstrlenW(text),
      free: (memory) => {
        kernel32.symbols.LocalFree(Deno.UnsafePointer.value(memory));
      },
    },
    // Never closed: a late invocation of a closed callback ends the process.
    onCompletion: (receiver) => {
      const callback = Deno.UnsafeCallback.threadSafe(
        completionCallback,
        receiver,
      );
      callback.unref();
      return callback.pointer;
    },
    onEvent: (receiver) => {
      const callback = Deno.UnsafeCallback.threadSafe(eventCallback, receiver);
      callback.unref();
      return callback.pointer;
    },
  };
}
