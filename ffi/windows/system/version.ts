/**
 * Which Windows this is.
 *
 * @module
 */

import type { NtdllSymbols } from "../library/ntdll.ts";

/**
 * Bytes of `RTL_OSVERSIONINFOW`: u32 size @0, major @4, minor @8, build @12,
 * platform @16, 128 UTF-16 units.
 */
const versionSize = 276;

/** The build number, for example 26100 for Windows Server 2025. */
export function windowsBuild(
  ntdll: Pick<NtdllSymbols, "RtlGetVersion">,
): number {
  const info = new Uint8Array(versionSize);
  const view = new DataView(info.buffer);
  view.setUint32(0, versionSize, true);
  ntdll.RtlGetVersion(info);
  return view.getUint32(12, true);
}
