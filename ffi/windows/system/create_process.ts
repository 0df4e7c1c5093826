/**
 * Starting a process that gets exactly the handles that it is given.
 *
 * containerd reads the output of `start` to its end, and a child that inherited
 * that handle would keep it open for its whole life: `start` would never be over.
 * An ordinary spawn hands every inheritable handle to the child.
 *
 * @module
 */

import type { Kernel32Symbols } from "../library/kernel32.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { win32Error } from "../library/win32_error.ts";
import { allocate, free } from "../io/native_memory.ts";
import { commandLine, environmentBlock } from "./command_line.ts";

/** `EXTENDED_STARTUPINFO_PRESENT`. */
const extendedStartup = 0x0008_0000;

/** `CREATE_NEW_PROCESS_GROUP`: Ctrl-C of the parent's console is not the child's. */
const newGroup = 0x0000_0200;

/** `CREATE_UNICODE_ENVIRONMENT`. */
const unicodeEnvironment = 0x0000_0400;

/** `CREATE_NO_WINDOW`: a console that nobody sees, also for the child's own children. */
const noWindow = 0x0800_0000;

/** `STARTF_USESTDHANDLES`. */
const useStdHandles = 0x100;

/** `PROC_THREAD_ATTRIBUTE_HANDLE_LIST`. */
const handleList = 0x0002_0002n;

/**
 * `STARTUPINFOEXW` (x64): u32 size @0, flags @60, standard handles @80, @88, @96,
 * attribute list @104.
 */
const startupSize = 112;

/** `PROCESS_INFORMATION`: process @0, thread @8, u32 process id @16. */
const informationSize = 24;

/** A started process. */
export interface StartedProcess {
  /** Its handle; the caller closes it. */
  readonly handle: bigint;
  /** Its id. */
  readonly pid: number;
}

/** What is started, and with what. */
export interface ProcessStart {
  /** Path of the program, then its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Its working directory. */
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Inheritable handles for standard input, output and error; the child gets no others. */
  readonly handles: readonly [bigint, bigint, bigint];
}

/**
 * Starts a process without a window, in a group of its own.
 *
 * @throws {HResultError} What the system answered.
 */
export function createProcess(
  kernel32: Kernel32Symbols,
  { command, cwd, env, handles }: ProcessStart,
): StartedProcess {
  const [program] = command;
  const refusal = (): Error =>
    win32Error(kernel32.GetLastError(), `Cannot start "${program}"`);
  const size = new BigUint64Array(1);
  // Fails, and tells the size.
  kernel32.InitializeProcThreadAttributeList(0n, 1, 0, size);
  const listSize = Number(size[0]);
  // The list and, behind it, the handles that it points to.
  const memory = allocate(kernel32, listSize + 8 * handles.length);
  try {
    const list = memory.address;
    if (kernel32.InitializeProcThreadAttributeList(list, 1, 0, size) === 0) {
      throw refusal();
    }
    try {
      const view = new DataView(memory.bytes.buffer);
      handles.forEach((handle, index) =>
        view.setBigUint64(listSize + 8 * index, handle, true)
      );
      const set = kernel32.UpdateProcThreadAttribute(
        list,
        0,
        handleList,
        list + BigInt(listSize),
        BigInt(8 * handles.length),
        0n,
        0n,
      );
      if (set === 0) throw refusal();
      const information = new Uint8Array(informationSize);
      const made = kernel32.CreateProcessW(
        encodeUtf16(program),
        encodeUtf16(commandLine(command)),
        null,
        null,
        1,
        extendedStartup | newGroup | unicodeEnvironment | noWindow,
        environmentBlock(env),
        encodeUtf16(cwd),
        startupInfo(handles, list),
        information,
      );
      if (made === 0) throw refusal();
      const started = new DataView(information.buffer);
      kernel32.CloseHandle(started.getBigUint64(8, true));
      return {
        handle: started.getBigUint64(0, true),
        pid: started.getUint32(16, true),
      };
    } finally {
      kernel32.DeleteProcThreadAttributeList(list);
    }
  } finally {
    free(kernel32, memory);
  }
}

function startupInfo(
  handles: ProcessStart["handles"],
  list: bigint,
): Uint8Array<ArrayBuffer> {
  const info = new Uint8Array(startupSize);
  const view = new DataView(info.buffer);
  view.setUint32(0, startupSize, true);
  view.setUint32(60, useStdHandles, true);
  handles.forEach((handle, index) =>
    view.setBigUint64(80 + 8 * index, handle, true)
  );
  view.setBigUint64(104, list, true);
  return info;
}
