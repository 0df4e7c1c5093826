/**
 * Who may open a named object of ours.
 *
 * @module
 */

import type { Advapi32Symbols } from "../library/advapi32.ts";
import type { Kernel32Symbols } from "../library/kernel32.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { win32Error } from "../library/win32_error.ts";

/** Administrators and the system may do everything, nobody else anything. */
export const administratorsOnly = "D:P(A;;GA;;;BA)(A;;GA;;;SY)";

/** `SDDL_REVISION_1`. */
const revision = 1;

/**
 * Runs a call with `SECURITY_ATTRIBUTES` for a security descriptor.
 *
 * @param sddl The descriptor's text form.
 * @param call Uses the attributes; they are gone when it returns.
 * @throws {HResultError} When the text is no descriptor.
 */
export function withSecurity<T>(
  libraries: {
    readonly kernel32: Pick<Kernel32Symbols, "GetLastError" | "LocalFree">;
    readonly advapi32: Pick<
      Advapi32Symbols,
      "ConvertStringSecurityDescriptorToSecurityDescriptorW"
    >;
  },
  sddl: string,
  call: (attributes: Uint8Array<ArrayBuffer>) => T,
): T {
  const { kernel32, advapi32 } = libraries;
  const text = encodeUtf16(sddl);
  const descriptor = new BigUint64Array(1);
  const converted = advapi32
    .ConvertStringSecurityDescriptorToSecurityDescriptorW(
      text,
      revision,
      descriptor,
      null,
    );
  if (converted === 0) {
    throw win32Error(
      kernel32.GetLastError(),
      `Cannot read the security descriptor "${sddl}"`,
    );
  }
  try {
    // DWORD nLength @0, LPVOID lpSecurityDescriptor @8, BOOL bInheritHandle @16.
    const attributes = new Uint8Array(24);
    const view = new DataView(attributes.buffer);
    view.setUint32(0, attributes.length, true);
    view.setBigUint64(8, descriptor[0]!, true);
    return call(attributes);
  } finally {
    kernel32.LocalFree(descriptor[0]!);
  }
}
