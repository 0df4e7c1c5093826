/**
 * Memory of the host that a virtual machine uses: the working set of its process
 * `vmmem`, which belongs to an account named like the VM's RuntimeId.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import type { VmMemoryCounter } from "../../../hcs/ports.ts";
import type { Advapi32Symbols } from "../library/advapi32.ts";
import { invalidHandle, type Kernel32Symbols } from "../library/kernel32.ts";
import { decodeUtf16 } from "../library/utf16.ts";
import { win32Error } from "../library/win32_error.ts";

/** The DLLs that the search needs. */
export interface ProcessLibraries {
  /** Lists, opens and counts processes. */
  readonly kernel32: Pick<
    Kernel32Symbols,
    | "CreateToolhelp32Snapshot"
    | "Process32FirstW"
    | "Process32NextW"
    | "OpenProcess"
    | "K32GetProcessMemoryInfo"
    | "CloseHandle"
    | "GetLastError"
  >;
  /** Tells whose they are. */
  readonly advapi32: Pick<
    Advapi32Symbols,
    "OpenProcessToken" | "GetTokenInformation" | "LookupAccountSidW"
  >;
}

/** `TH32CS_SNAPPROCESS`. */
const processList = 2;

/** `PROCESSENTRY32W`: u32 size @0, process id @8, 260 units of name @44. */
const entrySize = 568;
const entryName = 44;

/** `PROCESS_QUERY_LIMITED_INFORMATION`. */
const queryLimited = 0x1000;

/** `TOKEN_QUERY`. */
const tokenQuery = 8;

/** `TokenUser`: SID_AND_ATTRIBUTES, then the SID it points to. */
const tokenUser = 1;

/** Bytes of SID_AND_ATTRIBUTES (16) and the longest SID (68). */
const tokenUserSize = 84;

/** Bytes of SID_AND_ATTRIBUTES; the SID follows. */
const sidAt = 16;

/** Units for an account's or domain's name, with NUL. */
const nameUnits = 257;

/** `PROCESS_MEMORY_COUNTERS` (x64): u32 size @0, working set @16. */
const countersSize = 72;
const workingSetAt = 16;

/** `ERROR_NO_MORE_FILES`: the end of the list. */
const endOfList = 18;

const processNames: ReadonlySet<string> = new Set(["vmmem", "vmmem.exe"]);
const accountDomain = "nt virtual machine";

/** Ids of the processes that may be a VM's. */
function candidates({ kernel32 }: ProcessLibraries): number[] {
  const list = kernel32.CreateToolhelp32Snapshot(processList, 0);
  const refusal = (code: number): Error =>
    win32Error(code, "Cannot list the processes");
  if (list === invalidHandle) throw refusal(kernel32.GetLastError());
  try {
    const entry = new Uint8Array(entrySize);
    const view = new DataView(entry.buffer);
    view.setUint32(0, entrySize, true);
    const ids: number[] = [];
    let more = kernel32.Process32FirstW(list, entry);
    while (more !== 0) {
      const name = textOf(entry.subarray(entryName)).toLowerCase();
      if (processNames.has(name)) ids.push(view.getUint32(8, true));
      more = kernel32.Process32NextW(list, entry);
    }
    const code = kernel32.GetLastError();
    if (code !== endOfList) throw refusal(code);
    return ids;
  } finally {
    kernel32.CloseHandle(list);
  }
}

/** Text of UTF-16 bytes up to the first NUL. */
function textOf(bytes: Uint8Array<ArrayBuffer>): string {
  const [text = ""] = decodeUtf16(bytes).split("\0");
  return text;
}

/** Account and domain of a process, in lower case; undefined when they cannot be told. */
function ownerOf(
  { kernel32, advapi32 }: ProcessLibraries,
  process: bigint,
): { account: string; domain: string } | undefined {
  const token = new BigUint64Array(1);
  if (advapi32.OpenProcessToken(process, tokenQuery, token) === 0) {
    return undefined;
  }
  const user = new Uint8Array(tokenUserSize);
  const known = advapi32.GetTokenInformation(
    token[0]!,
    tokenUser,
    user,
    user.length,
    new Uint32Array(1),
  );
  kernel32.CloseHandle(token[0]!);
  if (known === 0) return undefined;
  const account = new Uint16Array(nameUnits);
  const domain = new Uint16Array(nameUnits);
  const named = advapi32.LookupAccountSidW(
    null,
    user.subarray(sidAt),
    account,
    new Uint32Array([nameUnits]),
    domain,
    new Uint32Array([nameUnits]),
    new Uint32Array(1),
  );
  if (named === 0) return undefined;
  return {
    account: textOf(new Uint8Array(account.buffer)).toLowerCase(),
    domain: textOf(new Uint8Array(domain.buffer)).toLowerCase(),
  };
}

/**
 * Finds the process that holds a VM's memory.
 *
 * @param runtimeId The VM's RuntimeId, in any case.
 * @returns Its counter, which keeps the process' handle until it is closed.
 * @throws {ShimError} NotFound when no such process is there.
 * @throws {HResultError} When processes cannot be listed.
 */
export function findVmMemory(
  libraries: ProcessLibraries,
  runtimeId: string,
): VmMemoryCounter {
  const { kernel32 } = libraries;
  for (const id of candidates(libraries)) {
    const process = kernel32.OpenProcess(queryLimited, 0, id);
    if (process === 0n) continue; // It has ended, or belongs to somebody else.
    const owner = ownerOf(libraries, process);
    const found = owner?.domain === accountDomain &&
      owner.account === runtimeId.toLowerCase();
    if (found) return counterOf(libraries, process, runtimeId);
    kernel32.CloseHandle(process);
  }
  throw new ShimError(
    "NotFound",
    `No process vmmem of virtual machine "${runtimeId}" found`,
  );
}

function counterOf(
  { kernel32 }: ProcessLibraries,
  process: bigint,
  runtimeId: string,
): VmMemoryCounter {
  let handle = process;
  return {
    workingSet: () => {
      const counters = new Uint8Array(countersSize);
      const view = new DataView(counters.buffer);
      view.setUint32(0, countersSize, true);
      const known = kernel32.K32GetProcessMemoryInfo(
        handle,
        counters,
        countersSize,
      );
      if (known !== 0) return view.getBigUint64(workingSetAt, true);
      throw win32Error(
        kernel32.GetLastError(),
        `Cannot read the memory of virtual machine "${runtimeId}"`,
      );
    },
    close: () => {
      if (handle === 0n) return;
      kernel32.CloseHandle(handle);
      handle = 0n; // its number may be another object's from now on
    },
  };
}
