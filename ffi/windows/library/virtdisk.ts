/**
 * The raw symbols of `virtdisk.dll`, as `virtdisk.h` declares them, and the layouts
 * of its structures on 64-bit Windows.
 *
 * The functions return Win32 codes (some beyond 16 bits), not HRESULTs, and no
 * strings.
 *
 * @module
 */

import type { ForeignMemory } from "./utf16.ts";

/**
 * What the product uses of `virtdisk.dll`. Every function can block, so all are
 * `nonblocking`; all are `optional`, so that a version of the DLL without one still
 * serves the others.
 */
export const virtDiskInterface = {
  /** Makes the file of a virtual disk. */
  CreateVirtualDisk: {
    parameters: [
      "buffer", // PVIRTUAL_STORAGE_TYPE VirtualStorageType
      "buffer", // PCWSTR Path
      "u32", // VIRTUAL_DISK_ACCESS_MASK VirtualDiskAccessMask: 0 with version 2
      "buffer", // PSECURITY_DESCRIPTOR SecurityDescriptor: null to inherit
      "u32", // CREATE_VIRTUAL_DISK_FLAG Flags: 0 for a dynamic disk
      "u32", // ULONG ProviderSpecificFlags: 0
      "buffer", // PCREATE_VIRTUAL_DISK_PARAMETERS Parameters
      "u64", // LPOVERLAPPED Overlapped: 0 to wait
      "buffer", // PHANDLE Handle
    ],
    result: "u32", // DWORD
    nonblocking: true,
    optional: true,
  },
  /** Opens a virtual disk. */
  OpenVirtualDisk: {
    parameters: [
      "buffer", // PVIRTUAL_STORAGE_TYPE VirtualStorageType
      "buffer", // PCWSTR Path
      "u32", // VIRTUAL_DISK_ACCESS_MASK VirtualDiskAccessMask: 0 with version 2
      "u32", // OPEN_VIRTUAL_DISK_FLAG Flags: 0
      "buffer", // POPEN_VIRTUAL_DISK_PARAMETERS Parameters
      "buffer", // PHANDLE Handle
    ],
    result: "u32", // DWORD
    nonblocking: true,
    optional: true,
  },
  /** Changes the size of a detached virtual disk. */
  ResizeVirtualDisk: {
    parameters: [
      "u64", // HANDLE VirtualDiskHandle
      "u32", // RESIZE_VIRTUAL_DISK_FLAG Flags: 0
      "buffer", // PRESIZE_VIRTUAL_DISK_PARAMETERS Parameters
      "u64", // LPOVERLAPPED Overlapped: 0 to wait
    ],
    result: "u32", // DWORD
    nonblocking: true,
    optional: true,
  },
  /** Tells something about a virtual disk. */
  GetVirtualDiskInformation: {
    parameters: [
      "u64", // HANDLE VirtualDiskHandle
      "buffer", // PULONG VirtualDiskInfoSize: in and out
      "buffer", // PGET_VIRTUAL_DISK_INFO VirtualDiskInfo: its version says what
      "buffer", // PULONG SizeUsed: null
    ],
    result: "u32", // DWORD
    nonblocking: true,
    optional: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** What is used of `kernel32.dll` with it: closing a disk writes to its file, so it can block. */
export const diskHandleInterface = {
  /** Closes a handle. */
  CloseHandle: {
    parameters: [
      "u64", // HANDLE hObject
    ],
    result: "i32", // BOOL
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The symbols as `Deno.dlopen` gives them; mocks have the same type. */
export type VirtDiskSymbols =
  & Deno.StaticForeignLibraryInterface<typeof virtDiskInterface>
  & Deno.StaticForeignLibraryInterface<typeof diskHandleInterface>;

/** `virtdisk.dll` with what its users need beside it. */
export interface VirtDiskLibrary {
  /** Name for error messages. */
  readonly dll: string;
  /** The raw symbols. */
  readonly symbols: VirtDiskSymbols;
  /** Strings, of which it returns none. */
  readonly memory: ForeignMemory;
}

/** `VIRTUAL_STORAGE_TYPE` by the offsets of its members. */
export const storageType = {
  /** ULONG DeviceId. */
  deviceId: 0,
  /** GUID VendorId. */
  vendorId: 4,
  /** Of the whole structure. */
  size: 20,
} as const;

/** `CREATE_VIRTUAL_DISK_PARAMETERS` of version 2; the union begins at 8, for its 64-bit members. */
export const createParameters = {
  /** CREATE_VIRTUAL_DISK_VERSION Version. */
  version: 0,
  /** ULONGLONG MaximumSize, after the GUID UniqueId at 8. */
  maximumSize: 24,
  /** ULONG BlockSizeInBytes. */
  blockSize: 32,
  /** Of the whole structure; what follows stays zero: sectors, parent, source. */
  size: 128,
} as const;

/** `OPEN_VIRTUAL_DISK_PARAMETERS` of version 2. */
export const openParameters = {
  /** OPEN_VIRTUAL_DISK_VERSION Version. */
  version: 0,
  /** BOOL GetInfoOnly. */
  getInfoOnly: 4,
  /** Of the whole structure; what follows stays zero: ReadOnly, ResiliencyGuid. */
  size: 28,
} as const;

/** `RESIZE_VIRTUAL_DISK_PARAMETERS` of version 1. */
export const resizeParameters = {
  /** RESIZE_VIRTUAL_DISK_VERSION Version. */
  version: 0,
  /** ULONGLONG NewSize. */
  newSize: 8,
  /** Of the whole structure. */
  size: 16,
} as const;

/** `GET_VIRTUAL_DISK_INFO` with `GET_VIRTUAL_DISK_INFO_SIZE` (1) as its version. */
export const diskInfo = {
  /** GET_VIRTUAL_DISK_INFO_VERSION Version. */
  version: 0,
  /** ULONGLONG VirtualSize. */
  virtualSize: 8,
  /** Of the whole structure; PhysicalSize, BlockSize and SectorSize follow. */
  size: 32,
} as const;
