/**
 * The raw symbols of `kernel32.dll`. Handles and addresses are 64-bit integers,
 * never pointers: as `u64` they are bigints that compare and key a map.
 *
 * All calls are blocking and short, unless they say otherwise: only then is
 * `GetLastError` right, and only in the very next statement.
 *
 * @module
 */

import { type DllOpener, SystemDll } from "./dll.ts";

/** What the product uses of `kernel32.dll`. */
export const kernel32Interface = {
  /** The calling thread's last error; see the module's rule. */
  GetLastError: {
    parameters: [],
    result: "u32", // DWORD
  },
  /** Closes a handle. */
  CloseHandle: {
    parameters: [
      "u64", // HANDLE hObject
    ],
    result: "i32", // BOOL
  },
  /** Frees what some functions allocate. */
  LocalFree: {
    parameters: [
      "u64", // HLOCAL hMem
    ],
    result: "u64", // HLOCAL: 0 on success
  },
  /** Length of a string. */
  lstrlenW: {
    parameters: [
      "pointer", // LPCWSTR lpString
    ],
    result: "i32", // int
  },

  /** Allocates pages outside of JavaScript's heap, at a fixed address. */
  VirtualAlloc: {
    parameters: [
      "u64", // LPVOID lpAddress: 0
      "u64", // SIZE_T dwSize
      "u32", // DWORD flAllocationType
      "u32", // DWORD flProtect
    ],
    result: "u64", // LPVOID
  },
  /** Frees pages. */
  VirtualFree: {
    parameters: [
      "u64", // LPVOID lpAddress
      "u64", // SIZE_T dwSize: 0 with MEM_RELEASE
      "u32", // DWORD dwFreeType
    ],
    result: "i32", // BOOL
  },

  /** Makes a completion port, or attaches a handle to one. */
  CreateIoCompletionPort: {
    parameters: [
      "u64", // HANDLE FileHandle: INVALID_HANDLE_VALUE to make one
      "u64", // HANDLE ExistingCompletionPort: 0 to make one
      "u64", // ULONG_PTR CompletionKey
      "u32", // DWORD NumberOfConcurrentThreads: 0 for one per processor
    ],
    result: "u64", // HANDLE
  },
  /** Takes completions that are there; blocks only when `dwMilliseconds` says so. */
  GetQueuedCompletionStatusEx: {
    parameters: [
      "u64", // HANDLE CompletionPort
      "u64", // LPOVERLAPPED_ENTRY lpCompletionPortEntries
      "u32", // ULONG ulCount
      "u64", // PULONG ulNumEntriesRemoved
      "u32", // DWORD dwMilliseconds
      "i32", // BOOL fAlertable
    ],
    result: "i32", // BOOL
  },
  /** Waits for completions. The one call of the product that always blocks a thread. */
  WaitForCompletions: {
    name: "GetQueuedCompletionStatusEx",
    parameters: [
      "u64", // HANDLE CompletionPort
      "u64", // LPOVERLAPPED_ENTRY lpCompletionPortEntries
      "u32", // ULONG ulCount
      "u64", // PULONG ulNumEntriesRemoved
      "u32", // DWORD dwMilliseconds
      "i32", // BOOL fAlertable
    ],
    result: "i32", // BOOL
    nonblocking: true,
  },
  /** Asks the operations of a handle to end; each still completes. */
  CancelIoEx: {
    parameters: [
      "u64", // HANDLE hFile
      "u64", // LPOVERLAPPED lpOverlapped: 0 for all
    ],
    result: "i32", // BOOL
  },
  /** Reads; with an OVERLAPPED it completes on the port. */
  ReadFile: {
    parameters: [
      "u64", // HANDLE hFile
      "u64", // LPVOID lpBuffer: native memory
      "u32", // DWORD nNumberOfBytesToRead
      "u64", // LPDWORD lpNumberOfBytesRead: 0
      "u64", // LPOVERLAPPED lpOverlapped
    ],
    result: "i32", // BOOL
  },
  /** Writes; with an OVERLAPPED it completes on the port. */
  WriteFile: {
    parameters: [
      "u64", // HANDLE hFile
      "u64", // LPCVOID lpBuffer: native memory
      "u32", // DWORD nNumberOfBytesToWrite
      "u64", // LPDWORD lpNumberOfBytesWritten: 0
      "u64", // LPOVERLAPPED lpOverlapped
    ],
    result: "i32", // BOOL
  },

  /** Opens a file or the client end of a pipe. */
  CreateFileW: {
    parameters: [
      "buffer", // LPCWSTR lpFileName
      "u32", // DWORD dwDesiredAccess
      "u32", // DWORD dwShareMode
      "buffer", // LPSECURITY_ATTRIBUTES lpSecurityAttributes: null for none
      "u32", // DWORD dwCreationDisposition
      "u32", // DWORD dwFlagsAndAttributes
      "u64", // HANDLE hTemplateFile: 0
    ],
    result: "u64", // HANDLE
  },
  /** First name of a folder that fits a pattern. */
  FindFirstFileW: {
    parameters: [
      "buffer", // LPCWSTR lpFileName
      "buffer", // LPWIN32_FIND_DATAW lpFindFileData
    ],
    result: "u64", // HANDLE
  },
  /** Next name of the folder. */
  FindNextFileW: {
    parameters: [
      "u64", // HANDLE hFindFile
      "buffer", // LPWIN32_FIND_DATAW lpFindFileData
    ],
    result: "i32", // BOOL
  },
  /** Ends such a search. */
  FindClose: {
    parameters: [
      "u64", // HANDLE hFindFile
    ],
    result: "i32", // BOOL
  },
  /** Makes a folder. */
  CreateDirectoryW: {
    parameters: [
      "buffer", // LPCWSTR lpPathName
      "buffer", // LPSECURITY_ATTRIBUTES lpSecurityAttributes
    ],
    result: "i32", // BOOL
  },
  /** The final path of an open file, in the flavour that the flags ask for. */
  GetFinalPathNameByHandleW: {
    parameters: [
      "u64", // HANDLE hFile
      "buffer", // LPWSTR lpszFilePath
      "u32", // DWORD cchFilePath
      "u32", // DWORD dwFlags
    ],
    result: "u32", // DWORD: units, with NUL when the buffer is too small
  },
  /** Makes one instance of a named pipe. */
  CreateNamedPipeW: {
    parameters: [
      "buffer", // LPCWSTR lpName
      "u32", // DWORD dwOpenMode
      "u32", // DWORD dwPipeMode
      "u32", // DWORD nMaxInstances
      "u32", // DWORD nOutBufferSize
      "u32", // DWORD nInBufferSize
      "u32", // DWORD nDefaultTimeOut: milliseconds
      "buffer", // LPSECURITY_ATTRIBUTES lpSecurityAttributes: null for none
    ],
    result: "u64", // HANDLE
  },
  /** Waits for a client; with an OVERLAPPED it completes on the port. */
  ConnectNamedPipe: {
    parameters: [
      "u64", // HANDLE hNamedPipe
      "u64", // LPOVERLAPPED lpOverlapped
    ],
    result: "i32", // BOOL
  },
  /** Lets an instance wait for the next client. */
  DisconnectNamedPipe: {
    parameters: [
      "u64", // HANDLE hNamedPipe
    ],
    result: "i32", // BOOL
  },
  /** Tells whether a pipe of this name exists; waits for a free instance so long. */
  WaitNamedPipeW: {
    parameters: [
      "buffer", // LPCWSTR lpNamedPipeName
      "u32", // DWORD nTimeOut: milliseconds
    ],
    result: "i32", // BOOL
  },

  /** Makes or opens an event. */
  CreateEventW: {
    parameters: [
      "buffer", // LPSECURITY_ATTRIBUTES lpEventAttributes: null for none
      "i32", // BOOL bManualReset
      "i32", // BOOL bInitialState
      "buffer", // LPCWSTR lpName
    ],
    result: "u64", // HANDLE
  },
  /** Opens an event that exists. */
  OpenEventW: {
    parameters: [
      "u32", // DWORD dwDesiredAccess
      "i32", // BOOL bInheritHandle
      "buffer", // LPCWSTR lpName
    ],
    result: "u64", // HANDLE
  },
  /** Signals an event. */
  SetEvent: {
    parameters: [
      "u64", // HANDLE hEvent
    ],
    result: "i32", // BOOL
  },
  /** Asks whether an object is signalled. The product passes a time of 0. */
  WaitForSingleObject: {
    parameters: [
      "u64", // HANDLE hHandle
      "u32", // DWORD dwMilliseconds
    ],
    result: "u32", // DWORD: WAIT_OBJECT_0, WAIT_TIMEOUT or WAIT_FAILED
  },
  /** Waits for an object on a thread of the pool; needs a slot. */
  WaitForObject: {
    name: "WaitForSingleObject",
    parameters: [
      "u64", // HANDLE hHandle
      "u32", // DWORD dwMilliseconds
    ],
    result: "u32", // DWORD: WAIT_OBJECT_0, WAIT_TIMEOUT or WAIT_FAILED
    nonblocking: true,
  },

  /** Starts a process. */
  CreateProcessW: {
    parameters: [
      "buffer", // LPCWSTR lpApplicationName
      "buffer", // LPWSTR lpCommandLine: may be written to
      "buffer", // LPSECURITY_ATTRIBUTES lpProcessAttributes: null
      "buffer", // LPSECURITY_ATTRIBUTES lpThreadAttributes: null
      "i32", // BOOL bInheritHandles
      "u32", // DWORD dwCreationFlags
      "buffer", // LPVOID lpEnvironment: null for the parent's
      "buffer", // LPCWSTR lpCurrentDirectory
      "buffer", // LPSTARTUPINFOW lpStartupInfo: STARTUPINFOEXW
      "buffer", // LPPROCESS_INFORMATION lpProcessInformation
    ],
    result: "i32", // BOOL
  },
  /** Tells the size of an attribute list, or makes one. */
  InitializeProcThreadAttributeList: {
    parameters: [
      "u64", // LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList: 0 to ask for the size
      "u32", // DWORD dwAttributeCount
      "u32", // DWORD dwFlags: 0
      "buffer", // PSIZE_T lpSize
    ],
    result: "i32", // BOOL
  },
  /** Sets an attribute; the value must stay until the list is deleted. */
  UpdateProcThreadAttribute: {
    parameters: [
      "u64", // LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList
      "u32", // DWORD dwFlags: 0
      "u64", // DWORD_PTR Attribute
      "u64", // PVOID lpValue: native memory
      "u64", // SIZE_T cbSize
      "u64", // PVOID lpPreviousValue: 0
      "u64", // PSIZE_T lpReturnSize: 0
    ],
    result: "i32", // BOOL
  },
  /** Ends the use of an attribute list. */
  DeleteProcThreadAttributeList: {
    parameters: [
      "u64", // LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList
    ],
    result: "void",
  },
  /** Opens a process by its id. */
  OpenProcess: {
    parameters: [
      "u32", // DWORD dwDesiredAccess
      "i32", // BOOL bInheritHandle
      "u32", // DWORD dwProcessId
    ],
    result: "u64", // HANDLE
  },
  /** The exit code of a process that has ended. */
  GetExitCodeProcess: {
    parameters: [
      "u64", // HANDLE hProcess
      "buffer", // LPDWORD lpExitCode
    ],
    result: "i32", // BOOL
  },
  /** Ends a process. */
  TerminateProcess: {
    parameters: [
      "u64", // HANDLE hProcess
      "u32", // UINT uExitCode
    ],
    result: "i32", // BOOL
  },
  /** Takes a list of all processes. */
  CreateToolhelp32Snapshot: {
    parameters: [
      "u32", // DWORD dwFlags
      "u32", // DWORD th32ProcessID
    ],
    result: "u64", // HANDLE
  },
  /** First entry of the list. */
  Process32FirstW: {
    parameters: [
      "u64", // HANDLE hSnapshot
      "buffer", // LPPROCESSENTRY32W lppe
    ],
    result: "i32", // BOOL
  },
  /** Next entry of the list. */
  Process32NextW: {
    parameters: [
      "u64", // HANDLE hSnapshot
      "buffer", // LPPROCESSENTRY32W lppe
    ],
    result: "i32", // BOOL
  },
  /** Memory counters of a process. */
  K32GetProcessMemoryInfo: {
    parameters: [
      "u64", // HANDLE Process
      "buffer", // PPROCESS_MEMORY_COUNTERS ppsmemCounters
      "u32", // DWORD cb
    ],
    result: "i32", // BOOL
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The symbols as `Deno.dlopen` gives them; mocks have the same type. */
export type Kernel32Symbols = Deno.StaticForeignLibraryInterface<
  typeof kernel32Interface
>;

/** `INVALID_HANDLE_VALUE`. */
export const invalidHandle = 0xffff_ffff_ffff_ffffn;

/** `kernel32.dll` of this machine, loaded at first use. */
export function kernel32Dll(
  opener?: DllOpener,
): SystemDll<typeof kernel32Interface> {
  return new SystemDll("kernel32.dll", kernel32Interface, { opener });
}
