/**
 * The symbols of `kernel32.dll` for files and pipes.
 *
 * @module
 */

import type { Kernel32Symbols } from "../../windows/library/kernel32.ts";
import { readParameter } from "../heap.ts";
import type { FakeFiles } from "./files.ts";
import type { Handle } from "./handles.ts";
import type { FakeKernel } from "./kernel.ts";
import { type Address, viewOf } from "./memory.ts";
import { type FakePipes, PipeEnd } from "./pipes.ts";
import { securityOf } from "./security.ts";

const ok = 1;
const failed = 0;
const invalidHandle = 0xffff_ffff_ffff_ffffn;

/** `FILE_FLAG_FIRST_PIPE_INSTANCE`. */
const firstInstance = 0x0008_0000;

/** `FILE_FLAG_OVERLAPPED`. */
const overlappedFlag = 0x4000_0000;

/** Byte pipe, `PIPE_REJECT_REMOTE_CLIENTS`. */
const bytesAndLocal = 8;

/** Where pipes are. */
const pipePrefix = /^\\\\\.\\pipe\\/i;

/** Symbols for files and pipes. */
export function pipeSymbols(
  kernel: FakeKernel,
  pipes: FakePipes,
  files: FakeFiles,
): Pick<
  Kernel32Symbols,
  | "CreateFileW"
  | "CreateNamedPipeW"
  | "WaitNamedPipeW"
  | "ConnectNamedPipe"
  | "DisconnectNamedPipe"
  | "ReadFile"
  | "WriteFile"
> {
  const { calls, memory, handles, operations } = kernel;
  const transfer = (
    symbol: "ReadFile" | "WriteFile",
    handle: Handle,
    address: Address,
    length: number,
    overlapped: Address,
  ): number =>
    calls.run(symbol, failed, () => {
      const object = handles.find(symbol, handle, PipeEnd);
      const bytes = memory.at(symbol, address, length);
      const call = { symbol, handle, object, overlapped, bytes };
      operations.begin(call, (operation) =>
        symbol === "ReadFile"
          ? object.incoming.read(operation)
          : object.outgoing.write(operation));
      return ok;
    });
  return {
    CreateFileW: (name, _access, _share, attributes, disposition, flags) =>
      calls.run("CreateFileW", invalidHandle, () => {
        const path = readParameter(name);
        const isInheritable = attributes !== null &&
          viewOf(attributes).getInt32(16, true) !== 0;
        if (!pipePrefix.test(path)) {
          return handles.add(files.open(path, disposition, isInheritable));
        }
        const end = pipes.open(path, isInheritable);
        // Only what a child gets is not overlapped: nobody here may use it.
        if (isInheritable === ((flags & overlappedFlag) !== 0)) {
          kernel.misuse.push(`CreateFileW of "${path}" with the wrong flags`);
        }
        return handles.add(end);
      }),
    CreateNamedPipeW: (
      name,
      openMode,
      pipeMode,
      limit,
      quota,
      _inQuota,
      _timeout,
      attributes,
    ) =>
      calls.run("CreateNamedPipeW", invalidHandle, () => {
        const descriptor = securityOf(kernel, attributes);
        if (pipeMode !== bytesAndLocal) {
          kernel.misuse.push("CreateNamedPipeW with the wrong mode");
        }
        const isFirst = (openMode & firstInstance) !== 0;
        const end = pipes.create(readParameter(name), {
          isFirst,
          limit,
          quota,
        });
        pipes.descriptors.push(descriptor);
        return handles.add(end);
      }),
    WaitNamedPipeW: (name, _timeout) =>
      calls.run("WaitNamedPipeW", failed, () => {
        pipes.requireFree(readParameter(name));
        return ok;
      }),
    ConnectNamedPipe: (handle, overlapped) =>
      calls.run("ConnectNamedPipe", failed, () => {
        const symbol = "ConnectNamedPipe";
        const object = handles.find(symbol, handle, PipeEnd);
        operations.begin(
          { symbol, handle, object, overlapped },
          (operation) => object.instance.listen(operation),
        );
        return ok;
      }),
    DisconnectNamedPipe: (handle) =>
      calls.run("DisconnectNamedPipe", failed, () => {
        handles.find("DisconnectNamedPipe", handle, PipeEnd)
          .instance.disconnect();
        return ok;
      }),
    ReadFile: (handle, address, length, _count, overlapped) =>
      transfer("ReadFile", handle, address, length, overlapped),
    WriteFile: (handle, address, length, _count, overlapped) =>
      transfer("WriteFile", handle, address, length, overlapped),
  };
}
