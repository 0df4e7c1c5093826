/**
 * The raw symbols of `computecore.dll`, as `computecore.h` declares them. Handles
 * are 64-bit integers, never pointers: as `u64` they are bigints that compare and
 * key a map.
 *
 * @module
 */

import type { ForeignMemory } from "./utf16.ts";

/**
 * What the product uses of `computecore.dll`. Every function can block, so all
 * are `nonblocking`; all are `optional`, so that a version of the DLL without one
 * (live migration is young) still serves the others.
 */
export const computeCoreInterface = {
  /** Makes an operation, which tracks one request; 0 when it cannot be made. */
  HcsCreateOperation: {
    parameters: [
      "u64", // const void* context: a number of ours, never an address
      "function", // HCS_OPERATION_COMPLETION callback
    ],
    result: "u64", // HCS_OPERATION
    nonblocking: true,
    optional: true,
  },
  /** Lets an operation go. A request that it tracks goes on; its result is dropped. */
  HcsCloseOperation: {
    parameters: [
      "u64", // HCS_OPERATION operation
    ],
    result: "void",
    nonblocking: true,
    optional: true,
  },
  /** The result of an operation whose completion was reported. */
  HcsGetOperationResult: {
    parameters: [
      "u64", // HCS_OPERATION operation
      "buffer", // PWSTR* resultDocument: free with LocalFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Gives an operation something to work with, for example a socket. */
  HcsAddResourceToOperation: {
    parameters: [
      "u64", // HCS_OPERATION operation
      "u32", // HCS_RESOURCE_TYPE type
      "buffer", // PCWSTR uri
      "u64", // HANDLE handle
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Asks for the end of a request; some versions of Windows answer E_NOTIMPL. */
  HcsCancelOperation: {
    parameters: [
      "u64", // HCS_OPERATION operation
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Creates a compute system. */
  HcsCreateComputeSystem: {
    parameters: [
      "buffer", // PCWSTR id
      "buffer", // PCWSTR configuration
      "u64", // HCS_OPERATION operation
      "buffer", // const SECURITY_DESCRIPTOR* securityDescriptor: null
      "buffer", // HCS_SYSTEM* computeSystem
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Opens an existing compute system; done when it returns. */
  HcsOpenComputeSystem: {
    parameters: [
      "buffer", // PCWSTR id
      "u32", // DWORD requestedAccess
      "buffer", // HCS_SYSTEM* computeSystem
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Closes a handle; waits until running invocations of its callback have returned. */
  HcsCloseComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
    ],
    result: "void",
    nonblocking: true,
    optional: true,
  },
  /** Starts a compute system. */
  HcsStartComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "u64", // HCS_OPERATION operation
      "buffer", // PCWSTR options: "" for none
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Ends a compute system at once. */
  HcsTerminateComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "u64", // HCS_OPERATION operation
      "buffer", // PCWSTR options: "" for none
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Answers a property query. */
  HcsGetComputeSystemProperties: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "u64", // HCS_OPERATION operation
      "buffer", // PCWSTR propertyQuery
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Changes a running compute system. */
  HcsModifyComputeSystem: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "u64", // HCS_OPERATION operation
      "buffer", // PCWSTR configuration
      "u64", // HANDLE identity: 0
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Has the events of a system delivered to a function. */
  HcsSetComputeSystemCallback: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "u32", // HCS_EVENT_OPTIONS callbackOptions
      "u64", // const void* context: a number of ours, never an address
      "function", // HCS_EVENT_CALLBACK callback
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Prepares a running system to leave this host. */
  HcsInitializeLiveMigrationOnSource: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "u64", // HCS_OPERATION operation
      "buffer", // PCWSTR options: "" for none
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Connects the source with its destination. */
  HcsStartLiveMigrationOnSource: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "u64", // HCS_OPERATION operation
      "buffer", // PCWSTR options: "" for none
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Moves the memory; complete when all of it has moved. */
  HcsStartLiveMigrationTransfer: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "u64", // HCS_OPERATION operation
      "buffer", // PCWSTR options: "" for none
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Ends a migration: the system goes on here, or stops. */
  HcsFinalizeLiveMigration: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "u64", // HCS_OPERATION operation
      "buffer", // PCWSTR options: "" for none
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Gives a migration up. */
  HcsCancelLiveMigration: {
    parameters: [
      "u64", // HCS_SYSTEM computeSystem
      "u64", // HCS_OPERATION operation
      "buffer", // PCWSTR options: "" for none
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The symbols as `Deno.dlopen` gives them; mocks have the same type. */
export type ComputeCoreSymbols = Deno.StaticForeignLibraryInterface<
  typeof computeCoreInterface
>;

/** `HCS_OPERATION_COMPLETION`: called on a thread of the DLL, which waits meanwhile. */
export const completionCallback = {
  parameters: [
    "u64", // HCS_OPERATION operation
    "u64", // void* context
  ],
  result: "void",
} as const satisfies Deno.UnsafeCallbackDefinition;

/** `HCS_EVENT_CALLBACK`: called on a thread of the DLL, which waits meanwhile. */
export const eventCallback = {
  parameters: [
    "pointer", // HCS_EVENT* event: valid during the call only
    "u64", // void* context
  ],
  result: "void",
} as const satisfies Deno.UnsafeCallbackDefinition;

/** `HCS_EVENT` on 64-bit Windows: offsets of the members that are read. */
export const hcsEvent = {
  /** HCS_EVENT_TYPE Type, 32 bits. */
  type: 0,
  /** PCWSTR EventData: may be null. */
  data: 8,
  /** Of the whole structure. */
  size: 24,
} as const;

/** Receives completions. */
export type CompletionReceiver = (operation: bigint, context: bigint) => void;

/** Receives events. */
export type EventReceiver = (
  event: Deno.PointerValue,
  context: bigint,
) => void;

/** `computecore.dll` with what its users need beside it. */
export interface ComputeCoreLibrary {
  /** Name for error messages. */
  readonly dll: string;
  /** The raw symbols. */
  readonly symbols: ComputeCoreSymbols;
  /** Reads and frees the strings that they return. */
  readonly memory: ForeignMemory;
  /** Makes a native function of `receiver`. It stays valid: the DLL may call late. */
  onCompletion(receiver: CompletionReceiver): Deno.PointerValue;
  /** Makes a native function of `receiver`. It stays valid: the DLL may call late. */
  onEvent(receiver: EventReceiver): Deno.PointerValue;
}
