/**
 * The raw symbols of `ntdll.dll`.
 *
 * @module
 */

import { type DllOpener, SystemDll } from "./dll.ts";

/** What the product uses of `ntdll.dll`. */
export const ntdllInterface = {
  /** The Win32 code of an NTSTATUS. */
  RtlNtStatusToDosError: {
    parameters: [
      "i32", // NTSTATUS Status
    ],
    result: "u32", // ULONG
  },
  /** The real version, whatever the program's manifest says. */
  RtlGetVersion: {
    parameters: [
      "buffer", // PRTL_OSVERSIONINFOW lpVersionInformation
    ],
    result: "i32", // NTSTATUS: always success
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The symbols as `Deno.dlopen` gives them; mocks have the same type. */
export type NtdllSymbols = Deno.StaticForeignLibraryInterface<
  typeof ntdllInterface
>;

/** `ntdll.dll` of this machine, loaded at first use. */
export function ntdllDll(opener?: DllOpener): SystemDll<typeof ntdllInterface> {
  return new SystemDll("ntdll.dll", ntdllInterface, { opener });
}
