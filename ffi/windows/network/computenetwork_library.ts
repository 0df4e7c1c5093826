/**
 * The real `computenetwork.dll`.
 *
 * @module
 */

import {
  computeNetworkInterface,
  type ComputeNetworkLibrary,
} from "../library/computenetwork.ts";
import { type DllOpener, SystemDll } from "../library/dll.ts";
import { taskMemory } from "../library/ole32.ts";

/**
 * The network service's DLL of this machine. Nothing is loaded before the first
 * call.
 *
 * The program must leave by `Deno.exit`: the DLL's threads run until then.
 *
 * @param opener How DLLs are opened; tests replace it.
 */
export function systemComputeNetwork(
  opener?: DllOpener,
): ComputeNetworkLibrary {
  const dll = new SystemDll("computenetwork.dll", computeNetworkInterface, {
    opener,
    pin: true,
    hint: "Enable the Windows feature Containers, then restart the machine",
  });
  return {
    dll: dll.name,
    get symbols() {
      return dll.symbols;
    },
    memory: taskMemory(opener),
  };
}
