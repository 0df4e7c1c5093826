/**
 * Calls of raw symbols that the product's layers do not make in a test: those
 * that need a real virtual machine, and those that fail.
 *
 * @module
 */

import type { IoLibraries } from "../../ffi/windows/io/windows_io.ts";
import {
  advapi32Interface,
  explicitAccess,
} from "../../ffi/windows/library/advapi32.ts";
import { computeCoreInterface } from "../../ffi/windows/library/computecore.ts";
import { computeNetworkInterface } from "../../ffi/windows/library/computenetwork.ts";
import { type DllOpener, SystemDll } from "../../ffi/windows/library/dll.ts";
import { kernel32Interface } from "../../ffi/windows/library/kernel32.ts";
import { ntdllInterface } from "../../ffi/windows/library/ntdll.ts";
import { ole32Interface } from "../../ffi/windows/library/ole32.ts";
import {
  EventProvider,
  systemEventLibrary,
} from "../../ffi/windows/system/event_provider.ts";
import { encodeUtf16 } from "../../ffi/windows/library/utf16.ts";
import { virtDiskInterface } from "../../ffi/windows/library/virtdisk.ts";
import { vmComputeInterface } from "../../ffi/windows/library/vmcompute.ts";
import {
  mswsockInterface,
  ws2_32Interface,
} from "../../ffi/windows/library/ws2_32.ts";
import { isInfallible } from "./recording_opener.ts";

/** All tables, by the name of their DLL. */
export const tables: Readonly<Record<string, Deno.ForeignLibraryInterface>> = {
  "vmcompute.dll": vmComputeInterface,
  "computecore.dll": computeCoreInterface,
  "computenetwork.dll": computeNetworkInterface,
  "virtdisk.dll": virtDiskInterface,
  "kernel32.dll": kernel32Interface,
  "advapi32.dll": advapi32Interface,
  "ntdll.dll": ntdllInterface,
  "ole32.dll": ole32Interface,
  "ws2_32.dll": ws2_32Interface,
  "mswsock.dll": mswsockInterface,
};

/** `PROCESS_QUERY_LIMITED_INFORMATION`. */
const queryLimited = 0x1000;

/**
 * Looks at this process and at a service, as the search for a VM's memory and
 * `doctor` do; and writes an event.
 */
export function nativeBasics(libraries: IoLibraries): void {
  const { kernel32, advapi32 } = libraries;
  new EventProvider(systemEventLibrary(libraries), () => {})
    .write("Covered", { By: "tests" });
  const process = kernel32.OpenProcess(queryLimited, 0, Deno.pid);
  kernel32.K32GetProcessMemoryInfo(process, new Uint8Array(72), 72);
  const token = new BigUint64Array(1);
  advapi32.OpenProcessToken(process, 8, token);
  const user = new Uint8Array(84);
  const length = new Uint32Array(1);
  advapi32.GetTokenInformation(token[0]!, 1, user, user.length, length);
  advapi32.LookupAccountSidW(
    null,
    user.subarray(16),
    new Uint16Array(257),
    new Uint32Array([257]),
    new Uint16Array(257),
    new Uint32Array([257]),
    length,
  );
  kernel32.CloseHandle(token[0]!);
  kernel32.CloseHandle(process);
  const list = kernel32.CreateToolhelp32Snapshot(2, 0);
  const entry = new Uint8Array(568);
  new DataView(entry.buffer).setUint32(0, entry.length, true);
  kernel32.Process32FirstW(list, entry);
  kernel32.Process32NextW(list, entry);
  kernel32.CloseHandle(list);
  const manager = advapi32.OpenSCManagerW(null, null, 1);
  const service = advapi32.OpenServiceW(manager, encodeUtf16("RpcSs"), 4);
  advapi32.QueryServiceStatus(service, new Uint8Array(28));
  advapi32.CloseServiceHandle(service);
  advapi32.CloseServiceHandle(manager);
  const name = encodeUtf16("\\\\.\\pipe\\lcow-coverage-basics");
  const pipe = kernel32.CreateNamedPipeW(
    name,
    0x4000_0003,
    8,
    1,
    0,
    0,
    0,
    null,
  );
  kernel32.WaitNamedPipeW(name, 1);
  const client = kernel32.CreateFileW(name, 0xc000_0000, 0, null, 3, 0, 0n);
  kernel32.DisconnectNamedPipe(pipe);
  kernel32.CloseHandle(client);
  kernel32.CloseHandle(pipe);
  const found = new Uint8Array(592);
  const search = kernel32.FindFirstFileW(encodeUtf16("C:\\*"), found);
  kernel32.FindNextFileW(search, found);
  kernel32.FindClose(search);
  kernel32.lstrlenW(null);
}

type Argument = number | bigint | Uint8Array<ArrayBuffer> | null;

/** A buffer that is the text `x` for who reads it, and room for who writes. */
function text(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4096);
  bytes[0] = "x".charCodeAt(0);
  return bytes;
}

/** An argument of a parameter's type. */
function argument(type: Deno.NativeType): Argument {
  const make = plain[String(type)];
  if (make === undefined) throw new Error(`No argument of type ${type}`);
  return make();
}

/** A handle that nobody has opened. */
const badHandle = 0x7eee_eee0n;

const plain: Readonly<Record<string, () => Argument>> = {
  buffer: text,
  function: () => null,
  pointer: () => null,
  u64: () => badHandle,
  usize: () => 0n,
  i32: () => 0,
  u32: () => 0,
  u16: () => 0,
};

/** Arguments with which a call fails, where plain nonsense would not, or would crash. */
const special: Readonly<Record<string, readonly Argument[]>> = {
  // Where to put the handle is what it needs most.
  EventRegister: [text(), null, null, null],
  CreateDirectoryW: [encodedBytes("Z:\\no\\such\\folder"), null],
  CreateEventW: [null, 0, 0, encodedBytes("no\\such\\folder")],
  CreateToolhelp32Snapshot: [0, 0],
  CreateFileW: [encodedBytes("Z:\\no such file"), 0, 0, null, 3, 0, 0n],
  CreateProcessW: [
    encodedBytes("Z:\\no such program"),
    ...[null, null, null, 0, 0, null, null, new Uint8Array(104)],
    new Uint8Array(24),
  ],
  CreateNamedPipeW: [encodedBytes("x"), 3, 8, 1, 0, 0, 0, null],
  GetNamedSecurityInfoW: [
    encodedBytes("Z:\\no such file"),
    ...[1, 4, null, null, text(), null, text()],
  ],
  // Handles of searches are addresses under Wine.
  FindClose: [0n],
  FindFirstFileW: [encodedBytes("Z:\\no such folder\\*"), new Uint8Array(592)],
  FindNextFileW: [0n, new Uint8Array(592)],
  InitializeProcThreadAttributeList: [0n, 1, 0, new Uint8Array(8)],
  OpenProcess: [queryLimited, 0, 0x7fff_fff0],
  OpenSCManagerW: [null, encodedBytes("NoSuchDatabase"), 1],
  // No ACCESS_MODE is 0, and no trustee has a null pointer for a SID.
  SetEntriesInAclW: [1, new Uint8Array(explicitAccess.size), 0n, text()],
  SetNamedSecurityInfoW: [
    encodedBytes("Z:\\no such file"),
    ...[1, 4, 0n, 0n, 0n, 0n],
  ],
  WSASocketW: [34, 99, 1, null, 0, 0],
  WSAStartup: [0x0202, null],
  // Handles of services are addresses under Wine.
  CloseServiceHandle: [0n],
  OpenServiceW: [0n, encodedBytes("x"), 4],
  QueryServiceStatus: [0n, new Uint8Array(28)],
  AcceptEx: [badHandle, badHandle, 0n, 0, 0, 0, 0n, 0n],
  ConnectNamedPipe: [badHandle, 0n],
  ReadFile: [badHandle, 0n, 0, 0n, 0n],
  WSAIoctl: [badHandle, 0xc800_0006, null, 0, null, 0, null, 0n, 0n],
  WSARecv: [badHandle, 0n, 0, 0n, 0n, 0n, 0n],
  WSASend: [badHandle, 0n, 0, 0n, 0, 0n, 0n],
  WriteFile: [badHandle, 0n, 0, 0n, 0n],
  WaitForCompletions: [badHandle, 0n, 1, 0n, 0, 0],
  GetQueuedCompletionStatusEx: [badHandle, 0n, 1, 0n, 0, 0],
};

/** Called by {@linkcode updateFails}. */
const updated = "UpdateProcThreadAttribute";

/** `UpdateProcThreadAttribute` wants a list: one that is too small for a second attribute. */
function updateFails(kernel32: IoLibraries["kernel32"]): void {
  const list = kernel32.VirtualAlloc(0n, 4096n, 0x3000, 4);
  kernel32.InitializeProcThreadAttributeList(
    list,
    1,
    0,
    new BigUint64Array([4096n]),
  );
  kernel32.UpdateProcThreadAttribute(list, 0, 0xffffn, 0n, 0n, 0n, 0n);
  kernel32.DeleteProcThreadAttributeList(list);
  kernel32.VirtualFree(list, 0n, 0x8000);
}

function encodedBytes(value: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encodeUtf16(value).buffer);
}

type Callable = (...args: Argument[]) => unknown;

/** Calls every symbol that can fail so that it fails. */
export async function failEverything(opener: DllOpener): Promise<void> {
  for (const [dll, table] of Object.entries(tables)) {
    const { symbols } = new SystemDll(dll, table, { opener, pin: true });
    for (const [name, entry] of Object.entries(table)) {
      if (isInfallible(dll, name) || name === updated) continue;
      if (!("parameters" in entry)) continue;
      const args = special[name] ??
        entry.parameters.map(argument);
      await (symbols as Record<string, Callable>)[name]?.(...args);
    }
  }
  const { symbols } = new SystemDll("kernel32.dll", kernel32Interface, {
    opener,
  });
  updateFails(symbols);
}
