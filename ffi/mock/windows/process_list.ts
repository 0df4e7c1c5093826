/**
 * The list of processes of the pretended Windows, their owners and their memory.
 *
 * @module
 */

import type { Advapi32Symbols } from "../../windows/library/advapi32.ts";
import type { Kernel32Symbols } from "../../windows/library/kernel32.ts";
import { encodeUtf16 } from "../../windows/library/utf16.ts";
import { writeOut } from "../heap.ts";
import { CallFailure } from "./calls.ts";
import type { KernelObject } from "./handles.ts";
import type { FakeKernel } from "./kernel.ts";
import { bytesOf, viewOf } from "./memory.ts";

const ok = 1;
const failed = 0;
const invalidHandle = 0xffff_ffff_ffff_ffffn;

/** Codes of `winerror.h`. */
const noMoreFiles = 18;
const badLength = 24;
const invalidParameter = 87;
const insufficientBuffer = 122;
const noneMapped = 1332;

/** `PROCESSENTRY32W`, `PROCESS_MEMORY_COUNTERS`, and a SID with one part behind its header. */
const entrySize = 568;
const countersSize = 72;
const userSize = 16 + 12;

/** One process that is there. */
export interface ListedProcess {
  /** Its id. */
  readonly pid: number;
  /** Name of its executable. */
  readonly name: string;
  /** Its owner. */
  readonly account: string;
  /** The owner's domain. */
  readonly domain: string;
  /** Bytes. */
  workingSet: bigint;
}

class Snapshot implements KernelObject {
  readonly kind = "snapshot";
  readonly rows: Iterator<ListedProcess>;
  constructor(processes: readonly ListedProcess[]) {
    this.rows = processes.values();
  }
  close(): void {}
}

class ListedHandle implements KernelObject {
  readonly kind: "process" | "token";
  readonly listed: ListedProcess;
  constructor(kind: "process" | "token", listed: ListedProcess) {
    this.kind = kind;
    this.listed = listed;
  }
  close(): void {}
}

function writeName(
  name: string,
  buffer: AllowSharedBufferSource | null,
  size: AllowSharedBufferSource | null,
): void {
  const units = encodeUtf16(name);
  const view = viewOf(size);
  const room = view.getUint32(0, true);
  view.setUint32(0, name.length, true);
  if (units.length > room) throw new CallFailure(insufficientBuffer);
  bytesOf(buffer).set(new Uint8Array(units.buffer));
}

/** The symbols of `kernel32.dll` that list processes. */
export function processListSymbols(
  { calls, handles }: FakeKernel,
  processes: readonly ListedProcess[],
): Pick<
  Kernel32Symbols,
  | "CreateToolhelp32Snapshot"
  | "Process32FirstW"
  | "Process32NextW"
  | "OpenProcess"
  | "K32GetProcessMemoryInfo"
> {
  const next = (
    symbol: string,
    handle: number | bigint,
    entry: AllowSharedBufferSource | null,
  ): number =>
    calls.run(symbol, failed, () => {
      const { value, done } = handles.find(symbol, handle, Snapshot)
        .rows.next();
      if (done === true) throw new CallFailure(noMoreFiles);
      const view = viewOf(entry);
      if (view.getUint32(0, true) !== entrySize) {
        throw new CallFailure(badLength);
      }
      view.setUint32(8, value.pid, true);
      // What stood behind a longer name stays behind the NUL.
      bytesOf(entry).set(new Uint8Array(encodeUtf16(value.name).buffer), 44);
      return ok;
    });
  return {
    CreateToolhelp32Snapshot: (_flags, _process) =>
      calls.run(
        "CreateToolhelp32Snapshot",
        invalidHandle,
        () => handles.add(new Snapshot(processes)),
      ),
    Process32FirstW: (handle, entry) => next("Process32FirstW", handle, entry),
    Process32NextW: (handle, entry) => next("Process32NextW", handle, entry),
    OpenProcess: (_access, _inherit, id) =>
      calls.run("OpenProcess", 0n, () => {
        const listed = processes.find(({ pid }) => pid === id);
        if (listed === undefined) throw new CallFailure(invalidParameter);
        return handles.add(new ListedHandle("process", listed));
      }),
    K32GetProcessMemoryInfo: (handle, counters, size) =>
      calls.run("K32GetProcessMemoryInfo", failed, () => {
        const symbol = "K32GetProcessMemoryInfo";
        const { listed } = handles.find(symbol, handle, ListedHandle);
        if (size < countersSize) throw new CallFailure(insufficientBuffer);
        viewOf(counters).setBigUint64(16, listed.workingSet, true);
        return ok;
      }),
  };
}

/** The symbols of `advapi32.dll` that tell owners. */
export function ownerSymbols(
  { calls, handles }: FakeKernel,
  processes: readonly ListedProcess[],
): Pick<
  Advapi32Symbols,
  "OpenProcessToken" | "GetTokenInformation" | "LookupAccountSidW"
> {
  return {
    OpenProcessToken: (process, _access, out) =>
      calls.run("OpenProcessToken", failed, () => {
        const symbol = "OpenProcessToken";
        const { listed } = handles.find(symbol, process, ListedHandle);
        writeOut(out, handles.add(new ListedHandle("token", listed)));
        return ok;
      }),
    GetTokenInformation: (token, kind, out, size, needed) =>
      calls.run("GetTokenInformation", failed, () => {
        const symbol = "GetTokenInformation";
        const { listed } = handles.find(symbol, token, ListedHandle);
        viewOf(needed).setUint32(0, userSize, true);
        if (kind !== 1 || size < userSize) {
          throw new CallFailure(insufficientBuffer);
        }
        const view = viewOf(out);
        // SID_AND_ATTRIBUTES points to the SID behind it: S-1-5-<process id>.
        const here = Deno.UnsafePointer.of(bytesOf(out) as BufferSource);
        view.setBigUint64(0, Deno.UnsafePointer.value(here) + 16n, true);
        view.setUint32(16, 0x0101, true);
        view.setUint32(20, 0x0500_0000, true);
        view.setUint32(24, listed.pid, true);
        return ok;
      }),
    LookupAccountSidW: (...[, sid, name, nameSize, domain, domainSize]) =>
      calls.run("LookupAccountSidW", failed, () => {
        const id = viewOf(sid).getUint32(8, true);
        const listed = processes.find(({ pid }) => pid === id);
        if (listed === undefined) throw new CallFailure(noneMapped);
        writeName(listed.account, name, nameSize);
        writeName(listed.domain, domain, domainSize);
        return ok;
      }),
  };
}
