/**
 * The raw symbols of `advapi32.dll`: security descriptors, tokens, services.
 *
 * @module
 */

import { type DllOpener, SystemDll } from "./dll.ts";

/** What the product uses of `advapi32.dll`. */
export const advapi32Interface = {
  /** Makes a security descriptor of its text form (SDDL). */
  ConvertStringSecurityDescriptorToSecurityDescriptorW: {
    parameters: [
      "buffer", // LPCWSTR StringSecurityDescriptor
      "u32", // DWORD StringSDRevision: 1
      "buffer", // PSECURITY_DESCRIPTOR* SecurityDescriptor: free with LocalFree
      "buffer", // PULONG SecurityDescriptorSize: null
    ],
    result: "i32", // BOOL
  },
  /** Opens the token of a process. */
  OpenProcessToken: {
    parameters: [
      "u64", // HANDLE ProcessHandle
      "u32", // DWORD DesiredAccess
      "buffer", // PHANDLE TokenHandle
    ],
    result: "i32", // BOOL
  },
  /** Tells something about a token. */
  GetTokenInformation: {
    parameters: [
      "u64", // HANDLE TokenHandle
      "u32", // TOKEN_INFORMATION_CLASS TokenInformationClass
      "buffer", // LPVOID TokenInformation
      "u32", // DWORD TokenInformationLength
      "buffer", // PDWORD ReturnLength
    ],
    result: "i32", // BOOL
  },
  /** Account and domain of a SID. */
  LookupAccountSidW: {
    parameters: [
      "buffer", // LPCWSTR lpSystemName: null for this machine
      "buffer", // PSID Sid
      "buffer", // LPWSTR Name
      "buffer", // LPDWORD cchName: in and out
      "buffer", // LPWSTR ReferencedDomainName
      "buffer", // LPDWORD cchReferencedDomainName: in and out
      "buffer", // PSID_NAME_USE peUse
    ],
    result: "i32", // BOOL
  },
  /** Connects to the list of services. */
  OpenSCManagerW: {
    parameters: [
      "buffer", // LPCWSTR lpMachineName: null for this machine
      "buffer", // LPCWSTR lpDatabaseName: null for the active one
      "u32", // DWORD dwDesiredAccess
    ],
    result: "u64", // SC_HANDLE
  },
  /** Opens a service. */
  OpenServiceW: {
    parameters: [
      "u64", // SC_HANDLE hSCManager
      "buffer", // LPCWSTR lpServiceName
      "u32", // DWORD dwDesiredAccess
    ],
    result: "u64", // SC_HANDLE
  },
  /** What a service does. */
  QueryServiceStatus: {
    parameters: [
      "u64", // SC_HANDLE hService
      "buffer", // LPSERVICE_STATUS lpServiceStatus
    ],
    result: "i32", // BOOL
  },
  /** Closes a handle of the three functions above. */
  CloseServiceHandle: {
    parameters: [
      "u64", // SC_HANDLE hSCObject
    ],
    result: "i32", // BOOL
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The symbols as `Deno.dlopen` gives them; mocks have the same type. */
export type Advapi32Symbols = Deno.StaticForeignLibraryInterface<
  typeof advapi32Interface
>;

/** `advapi32.dll` of this machine, loaded at first use. */
export function advapi32Dll(
  opener?: DllOpener,
): SystemDll<typeof advapi32Interface> {
  return new SystemDll("advapi32.dll", advapi32Interface, { opener });
}
