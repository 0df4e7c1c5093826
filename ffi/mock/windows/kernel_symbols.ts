/**
 * The symbols of `kernel32.dll` for handles, memory and completion ports.
 *
 * @module
 */

import type { Kernel32Symbols } from "../../windows/library/kernel32.ts";
import { CallFailure } from "./calls.ts";
import type { Handle } from "./handles.ts";
import type { FakeKernel } from "./kernel.ts";
import type { Address } from "./memory.ts";
import { PipeEnd } from "./pipes.ts";
import { FakePort } from "./port.ts";
import { FakeSocket } from "./socket.ts";

const ok = 1;
const failed = 0;
const invalidHandle = 0xffff_ffff_ffff_ffffn;

/** `ERROR_INVALID_PARAMETER`. */
const invalidParameter = 87;

/** `WAIT_TIMEOUT`. */
const timedOut = 258;

/** `OVERLAPPED_ENTRY`. */
const entrySize = 32;

/** Symbols for memory, handles and the completion port. */
export function kernelSymbols(kernel: FakeKernel): Pick<
  Kernel32Symbols,
  | "GetLastError"
  | "CloseHandle"
  | "LocalFree"
  | "VirtualAlloc"
  | "VirtualFree"
  | "CreateIoCompletionPort"
  | "GetQueuedCompletionStatusEx"
  | "WaitForCompletions"
  | "CancelIoEx"
> {
  const { calls, memory, handles, operations } = kernel;
  const take = (
    symbol: string,
    port: Handle,
    entries: Address,
    count: number,
    removed: Address,
  ): void => {
    const found = handles.find(symbol, port, FakePort);
    const room = memory.viewAt(symbol, entries, count * entrySize);
    const taken = found.take(room);
    memory.viewAt(symbol, removed, 4).setUint32(0, taken, true);
    if (taken === 0) throw new CallFailure(timedOut);
  };
  return {
    GetLastError: () => calls.lastError,
    CloseHandle: (handle) =>
      calls.run("CloseHandle", failed, () => {
        operations.closing("CloseHandle", handle);
        handles.close(
          "CloseHandle",
          handle,
          (object) => !(object instanceof FakeSocket),
        );
        return ok;
      }),
    LocalFree: (address) =>
      calls.run("LocalFree", BigInt(address), () => {
        memory.free(address, "LocalFree");
        return 0n;
      }),
    VirtualAlloc: (_address, size, _type, _protection) =>
      calls.run(
        "VirtualAlloc",
        0n,
        () => memory.allocate(Number(size), "VirtualFree"),
      ),
    VirtualFree: (address, _size, _type) =>
      calls.run("VirtualFree", failed, () => {
        operations.freeing("VirtualFree", memory.free(address, "VirtualFree"));
        return ok;
      }),
    CreateIoCompletionPort: (handle, port, _key, _threads) =>
      calls.run("CreateIoCompletionPort", 0n, () => {
        if (BigInt(handle) === invalidHandle) {
          const made = new FakePort();
          kernel.ports.push(made);
          return handles.add(made);
        }
        const found = handles.find("CreateIoCompletionPort", port, FakePort);
        const object = handles.any(handle) instanceof FakeSocket
          ? handles.find("CreateIoCompletionPort", handle, FakeSocket)
          : handles.find("CreateIoCompletionPort", handle, PipeEnd);
        // Windows attaches a handle once.
        if (object.port !== undefined) throw new CallFailure(invalidParameter);
        object.port = found;
        return BigInt(port);
      }),
    GetQueuedCompletionStatusEx: (port, entries, count, removed) =>
      calls.run("GetQueuedCompletionStatusEx", failed, () => {
        take("GetQueuedCompletionStatusEx", port, entries, count, removed);
        return ok;
      }),
    WaitForCompletions: async (port, entries, count, removed) => {
      const waiting = calls.run(
        "WaitForCompletions",
        undefined,
        () => handles.find("WaitForCompletions", port, FakePort).wait(),
      );
      if (!await waiting) return failed;
      take("WaitForCompletions", port, entries, count, removed);
      return ok;
    },
    CancelIoEx: (handle, _overlapped) =>
      calls.run("CancelIoEx", failed, () => {
        if (handles.any(handle) === undefined) {
          handles.find("CancelIoEx", handle, PipeEnd);
        }
        operations.cancel(handle);
        return ok;
      }),
  };
}
