/**
 * The raw symbols of `advapi32.dll`: security descriptors, access lists, tokens,
 * services; and the layout of the structure that it takes on 64-bit Windows.
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
  /** Makes a SID of its text form. */
  ConvertStringSidToSidW: {
    parameters: [
      "buffer", // LPCWSTR StringSid
      "buffer", // PSID* Sid: free with LocalFree
    ],
    result: "i32", // BOOL
  },
  /** Reads parts of the security descriptor of a file. */
  GetNamedSecurityInfoW: {
    parameters: [
      "buffer", // LPCWSTR pObjectName
      "u32", // SE_OBJECT_TYPE ObjectType
      "u32", // SECURITY_INFORMATION SecurityInfo
      "buffer", // PSID* ppsidOwner: null
      "buffer", // PSID* ppsidGroup: null
      "buffer", // PACL* ppDacl: within the descriptor; 0 when there is none
      "buffer", // PACL* ppSacl: null
      "buffer", // PSECURITY_DESCRIPTOR* ppSecurityDescriptor: free with LocalFree
    ],
    result: "u32", // DWORD: Win32 code
  },
  /** Reads parts of the security descriptor of an open object, self-relative. */
  GetKernelObjectSecurity: {
    parameters: [
      "u64", // HANDLE Handle
      "u32", // SECURITY_INFORMATION RequestedInformation
      "buffer", // PSECURITY_DESCRIPTOR pSecurityDescriptor
      "u32", // DWORD nLength
      "buffer", // LPDWORD lpnLengthNeeded
    ],
    result: "i32", // BOOL
  },
  /** Makes an access list of another one and of new entries. */
  SetEntriesInAclW: {
    parameters: [
      "u32", // ULONG cCountOfExplicitEntries
      "buffer", // PEXPLICIT_ACCESS_W pListOfExplicitEntries
      "u64", // PACL OldAcl
      "buffer", // PACL* NewAcl: free with LocalFree
    ],
    result: "u32", // DWORD: Win32 code
  },
  /** Writes parts of the security descriptor of a file. */
  SetNamedSecurityInfoW: {
    parameters: [
      "buffer", // LPWSTR pObjectName
      "u32", // SE_OBJECT_TYPE ObjectType
      "u32", // SECURITY_INFORMATION SecurityInfo
      "u64", // PSID psidOwner: 0
      "u64", // PSID psidGroup: 0
      "u64", // PACL pDacl
      "u64", // PACL pSacl: 0
    ],
    result: "u32", // DWORD: Win32 code
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
  /** Registers a provider of events (evntprov.h). */
  EventRegister: {
    parameters: [
      "buffer", // LPCGUID ProviderId
      "function", // PENABLECALLBACK EnableCallback: enableCallback below
      "pointer", // PVOID CallbackContext: null
      "buffer", // PREGHANDLE RegHandle
    ],
    result: "u32", // ULONG: Win32 code
  },
  /** Sets something of a provider. */
  EventSetInformation: {
    parameters: [
      "u64", // REGHANDLE RegHandle
      "u32", // EVENT_INFO_CLASS InformationClass: 2 for its traits
      "buffer", // PVOID EventInformation
      "u32", // ULONG InformationLength
    ],
    result: "u32", // ULONG: Win32 code
  },
  /** Writes an event; without a listener that costs next to nothing. */
  EventWriteTransfer: {
    parameters: [
      "u64", // REGHANDLE RegHandle
      "buffer", // PCEVENT_DESCRIPTOR EventDescriptor
      "buffer", // LPCGUID ActivityId: null
      "buffer", // LPCGUID RelatedActivityId: null
      "u32", // ULONG UserDataCount
      "buffer", // PEVENT_DATA_DESCRIPTOR UserData
    ],
    result: "u32", // ULONG: Win32 code
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** `ENABLECALLBACK` of evntprov.h, which runs on a thread of the system. */
export const enableCallback = {
  parameters: [
    "pointer", // LPCGUID SourceId
    "u32", // ULONG IsEnabled: an EVENT_CONTROL_CODE
    "u8", // UCHAR Level
    "u64", // ULONGLONG MatchAnyKeyword
    "u64", // ULONGLONG MatchAllKeyword
    "pointer", // PEVENT_FILTER_DESCRIPTOR FilterData
    "pointer", // PVOID CallbackContext
  ],
  result: "void",
} as const satisfies Deno.UnsafeCallbackDefinition;

/** The symbols as `Deno.dlopen` gives them; mocks have the same type. */
export type Advapi32Symbols = Deno.StaticForeignLibraryInterface<
  typeof advapi32Interface
>;

/** `EXPLICIT_ACCESS_W` of accctrl.h by the offsets of its members. */
export const explicitAccess = {
  /** DWORD grfAccessPermissions. */
  permissions: 0,
  /** ACCESS_MODE grfAccessMode. */
  mode: 4,
  /** DWORD grfInheritance. */
  inheritance: 8,
  /** TRUSTEE_W Trustee: TRUSTEE_FORM, after a pointer at 16 and an enumeration at 24. */
  trusteeForm: 28,
  /** TRUSTEE_TYPE of the trustee. */
  trusteeType: 32,
  /** LPWCH ptstrName of the trustee: the SID when its form is TRUSTEE_IS_SID. */
  trusteeName: 40,
  /** Of the whole structure. */
  size: 48,
} as const;

/** `advapi32.dll` of this machine, loaded at first use. */
export function advapi32Dll(
  opener?: DllOpener,
): SystemDll<typeof advapi32Interface> {
  return new SystemDll("advapi32.dll", advapi32Interface, { opener });
}
