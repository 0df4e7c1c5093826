/**
 * The raw symbols of `ole32.dll`, and the memory that it manages.
 *
 * @module
 */

import { type DllOpener, SystemDll } from "./dll.ts";
import { kernel32Dll } from "./kernel32.ts";
import type { ForeignMemory } from "./utf16.ts";

/** What the product uses of `ole32.dll`. */
export const ole32Interface = {
  /** Frees task memory; null is nothing to free. */
  CoTaskMemFree: {
    parameters: [
      "pointer", // LPVOID pv
    ],
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** `ole32.dll` of this machine, loaded at first use. */
export function ole32Dll(opener?: DllOpener): SystemDll<typeof ole32Interface> {
  return new SystemDll("ole32.dll", ole32Interface, { opener });
}

/** Strings that `vmcompute.dll` and `computenetwork.dll` return: task memory. */
export function taskMemory(opener?: DllOpener): ForeignMemory {
  const kernel32 = kernel32Dll(opener);
  const ole32 = ole32Dll(opener);
  return {
    lstrlenW: (text) => kernel32.symbols.lstrlenW(text),
    free: (memory) => ole32.symbols.CoTaskMemFree(memory),
  };
}
