/**
 * The raw symbols of `vmcompute.dll`, as `vmcompute.h` declares them. Handles
 * are 64-bit integers, never pointers: as `u64` they are bigints that compare and
 * key a map.
 *
 * @module
 */

import type { ForeignMemory } from "./utf16.ts";

/**
 * What the product uses of `vmcompute.dll`. Every function can block for
 * minutes, so all are `nonblocking`; all are `optional`, so that a version of the
 * DLL without one still serves the others.
 */
export const vmComputeInterface = {
  /** Lists compute systems. */
  HcsEnumerateComputeSystems: {
    parameters: [
      "buffer", // PCWSTR query
      "buffer", // PWSTR* computeSystems: free with CoTaskMemFree
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Creates a compute system; pending until notification 2. */
  HcsCreateComputeSystem: {
    parameters: [
      "buffer", // PCWSTR id
      "buffer", // PCWSTR configuration
      "u64", // HANDLE identity: 0
      "buffer", // HCS_SYSTEM* computeSystem
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Opens an existing compute system. */
  HcsOpenComputeSystem: {
    parameters: [
      "buffer", // PCWSTR id
      "buffer", // HCS_SYSTEM* computeSystem
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Closes a handle. */
  HcsCloseComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Starts a compute system; pending until notification 3. */
  HcsStartComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "buffer", // PCWSTR options: "" for none
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Asks the guest to shut down; pending until notification 1. */
  HcsShutdownComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "buffer", // PCWSTR options: "" for none
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Ends a compute system at once; pending until notification 1. */
  HcsTerminateComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "buffer", // PCWSTR options: "" for none
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Stops the processors; pending until notification 4. */
  HcsPauseComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "buffer", // PCWSTR options: "" for none
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Lets a paused system go on; pending until notification 5. */
  HcsResumeComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "buffer", // PCWSTR options: "" for none
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Saves the state of a system; pending until notification 8. */
  HcsSaveComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "buffer", // PCWSTR options: "" for none
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Answers a property query. */
  HcsGetComputeSystemProperties: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "buffer", // PCWSTR propertyQuery
      "buffer", // PWSTR* properties: free with CoTaskMemFree
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Changes a running compute system. */
  HcsModifyComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "buffer", // PCWSTR configuration
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Has notifications delivered to a function. */
  HcsRegisterComputeSystemCallback: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "function", // HCS_NOTIFICATION_CALLBACK callback
      "u64", // void* context: a number of ours, never an address
      "buffer", // HCS_CALLBACK* callbackHandle
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Ends the delivery; waits until running invocations have returned. */
  HcsUnregisterComputeSystemCallback: {
    parameters: [
      "u64", // HCS_CALLBACK callbackHandle
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Answers a query about the service and its host. */
  HcsGetServiceProperties: {
    parameters: [
      "buffer", // PCWSTR propertyQuery
      "buffer", // PWSTR* properties: free with CoTaskMemFree
      "buffer", // PWSTR* result: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Lets a virtual machine open a file. */
  GrantVmAccess: {
    parameters: [
      "buffer", // PCWSTR vmId
      "buffer", // PCWSTR filePath
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Takes the access back. */
  RevokeVmAccess: {
    parameters: [
      "buffer", // PCWSTR vmId
      "buffer", // PCWSTR filePath
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The symbols as `Deno.dlopen` gives them; mocks have the same type. */
export type VmComputeSymbols = Deno.StaticForeignLibraryInterface<
  typeof vmComputeInterface
>;

/** `HCS_NOTIFICATION_CALLBACK`: called on a thread of the DLL, which waits meanwhile. */
export const notificationCallback = {
  parameters: [
    "u32", // DWORD notificationType
    "u64", // void* context
    "i32", // HRESULT notificationStatus
    "pointer", // PCWSTR notificationData: valid during the call only, may be null
  ],
  result: "void",
} as const satisfies Deno.UnsafeCallbackDefinition;

/** Receives notifications. */
export type NotificationReceiver = (
  type: number,
  context: bigint,
  status: number,
  data: Deno.PointerValue,
) => void;

/** `vmcompute.dll` with what its users need beside it. */
export interface VmComputeLibrary {
  /** Name for error messages. */
  readonly dll: string;
  /** The raw symbols. */
  readonly symbols: VmComputeSymbols;
  /** Reads and frees the strings that they return. */
  readonly memory: ForeignMemory;
  /** Makes a native function of `receiver`. It stays valid: the DLL may call late. */
  callback(receiver: NotificationReceiver): Deno.PointerValue;
}
