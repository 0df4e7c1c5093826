/**
 * The symbols that start, watch and end processes.
 *
 * @module
 */

import type { Kernel32Symbols } from "../../windows/library/kernel32.ts";
import { decodeUtf16 } from "../../windows/library/utf16.ts";
import { readParameter } from "../heap.ts";
import { CallFailure } from "./calls.ts";
import { FakeFile } from "./files.ts";
import type { KernelObject, ObjectType } from "./handles.ts";
import type { FakeKernel } from "./kernel.ts";
import { bytesOf, viewOf } from "./memory.ts";
import { PipeEnd } from "./pipes.ts";
import { turn } from "./port.ts";
import { FakeProcess, type ProcessFacts, ProcessHandle } from "./process.ts";

const ok = 1;
const failed = 0;

/** Codes of `winerror.h`. */
const accessDenied = 5;
const insufficientBuffer = 122;
const invalidParameter = 87;

/** `WAIT_FAILED`. */
const waitFailed = 0xffff_ffff;

/** Bytes of a list with one attribute, and of `STARTUPINFOEXW`. */
const listSize = 48;
const startupSize = 112;

/** `EXTENDED_STARTUPINFO_PRESENT`, `STARTF_USESTDHANDLES`, `…_HANDLE_LIST`. */
const extendedStartup = 0x0008_0000;
const useStdHandles = 0x100;
const handleList = 0x0002_0002n;

/** Texts of an environment block. */
function textsOf(block: AllowSharedBufferSource | null): string[] {
  const text = decodeUtf16(bytesOf(block).slice());
  if (!text.endsWith("\0\0")) throw new CallFailure(invalidParameter);
  return text.slice(0, -2).split("\0").filter((row) => row !== "");
}

/** What is called when a process was started. */
export type OnStart = (process: FakeProcess) => void;

/** The symbols of processes. */
export function processSymbols(
  kernel: FakeKernel,
  onStart: OnStart,
): Pick<
  Kernel32Symbols,
  | "InitializeProcThreadAttributeList"
  | "UpdateProcThreadAttribute"
  | "DeleteProcThreadAttributeList"
  | "CreateProcessW"
  | "WaitForObject"
  | "GetExitCodeProcess"
  | "TerminateProcess"
> {
  const { calls, handles, memory } = kernel;
  /** Attribute lists, and where each has its handles. */
  const lists = new Map<bigint, { at: bigint; size: number }>();
  let lastPid = 4;

  const inheritedBy = (startup: DataView): bigint[] => {
    const isWhole = startup.byteLength === startupSize &&
      startup.getUint32(0, true) === startupSize &&
      startup.getUint32(60, true) === useStdHandles;
    const list = lists.get(startup.getBigUint64(104, true));
    if (!isWhole || list === undefined) throw new CallFailure(invalidParameter);
    const values = memory.viewAt("CreateProcessW", list.at, list.size);
    const inherited: bigint[] = [];
    for (let at = 0; at < list.size; at += 8) {
      const handle = values.getBigUint64(at, true);
      const isInheritable = handles.any(handle)?.isInheritable ?? false;
      if (!isInheritable) throw new CallFailure(invalidParameter);
      inherited.push(handle);
    }
    return inherited;
  };

  const start = (facts: ProcessFacts, startup: DataView): FakeProcess => {
    const standard = <T extends KernelObject>(
      at: number,
      type: ObjectType<T>,
    ): T => {
      const handle = startup.getBigUint64(at, true);
      if (!facts.inherited.includes(handle)) {
        kernel.misuse.push("CreateProcessW: a stream is not in the list");
      }
      const object = handles.find("CreateProcessW", handle, type);
      object.share?.();
      return object;
    };
    const streams = {
      stdin: standard(80, PipeEnd).peer(),
      stdout: standard(88, PipeEnd).peer(),
      stderr: standard(96, FakeFile),
    };
    lastPid += 4;
    const process = new FakeProcess(lastPid, facts, streams);
    onStart(process);
    return process;
  };

  return {
    InitializeProcThreadAttributeList: (list, count, _flags, size) =>
      calls.run("InitializeProcThreadAttributeList", failed, () => {
        const view = viewOf(size);
        const given = view.getBigUint64(0, true);
        view.setBigUint64(0, BigInt(listSize * count), true);
        if (BigInt(list) === 0n || given < listSize * count) {
          throw new CallFailure(insufficientBuffer);
        }
        memory.at("InitializeProcThreadAttributeList", list, listSize * count);
        lists.set(BigInt(list), { at: 0n, size: 0 });
        return ok;
      }),
    UpdateProcThreadAttribute: (...[list, , attribute, value, size]) =>
      calls.run("UpdateProcThreadAttribute", failed, () => {
        const known = lists.has(BigInt(list)) &&
          BigInt(attribute) === handleList;
        if (!known) throw new CallFailure(invalidParameter);
        lists.set(BigInt(list), { at: BigInt(value), size: Number(size) });
        return ok;
      }),
    DeleteProcThreadAttributeList: (list) =>
      calls.run("DeleteProcThreadAttributeList", undefined, () => {
        if (lists.delete(BigInt(list))) return;
        kernel.misuse.push("DeleteProcThreadAttributeList of no list");
      }),
    CreateProcessW: (...parameters) =>
      calls.run("CreateProcessW", failed, () => {
        const [application, commandLine, , , inherits, flags, environment] =
          parameters;
        const [cwd, startupInfo, information] = parameters.slice(7) as [
          AllowSharedBufferSource | null,
          AllowSharedBufferSource | null,
          AllowSharedBufferSource | null,
        ];
        if (inherits !== 1 || (flags & extendedStartup) === 0) {
          kernel.misuse.push("CreateProcessW hands on all handles or none");
        }
        const startup = viewOf(startupInfo);
        const process = start({
          application: readParameter(application),
          commandLine: readParameter(commandLine),
          environment: textsOf(environment),
          cwd: readParameter(cwd),
          flags,
          inherited: inheritedBy(startup),
        }, startup);
        const out = viewOf(information);
        const handle = handles.add(new ProcessHandle("process", process));
        const thread = handles.add(new ProcessHandle("thread", process));
        out.setBigUint64(0, handle, true);
        out.setBigUint64(8, thread, true);
        out.setUint32(16, process.pid, true);
        return ok;
      }),
    WaitForObject: async (handle, _time) => {
      const waiting = calls.run(
        "WaitForObject",
        undefined,
        () =>
          handles.find("WaitForObject", handle, ProcessHandle).process.wait(),
      );
      const state = await waiting;
      await turn();
      return state ?? waitFailed;
    },
    GetExitCodeProcess: (handle, code) =>
      calls.run("GetExitCodeProcess", failed, () => {
        const { process } = handles.find(
          "GetExitCodeProcess",
          handle,
          ProcessHandle,
        );
        viewOf(code).setUint32(0, process.code, true);
        return ok;
      }),
    TerminateProcess: (handle, code) =>
      calls.run("TerminateProcess", failed, () => {
        const { process } = handles.find(
          "TerminateProcess",
          handle,
          ProcessHandle,
        );
        if (!process.isRunning) throw new CallFailure(accessDenied);
        process.exit(code);
        return ok;
      }),
  };
}
