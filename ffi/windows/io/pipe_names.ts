/**
 * The named pipes of this computer.
 *
 * @module
 */

import { invalidHandle, type Kernel32Symbols } from "../library/kernel32.ts";
import { decodeUtf16, encodeUtf16 } from "../library/utf16.ts";
import { Win32, win32Error } from "../library/win32_error.ts";

/** The symbols that list pipes. */
export type PipeNameSymbols = Pick<
  Kernel32Symbols,
  "FindFirstFileW" | "FindNextFileW" | "FindClose" | "GetLastError"
>;

/** The folder of all pipes. */
const pipeFolder = "\\\\.\\pipe\\";

/** `sizeof(WIN32_FIND_DATAW)`. */
const findDataBytes = 592;

/** Offset of `cFileName` there. */
const nameOffset = 44;

/** Units of `cFileName`, with its NUL; a pipe's name has at most 256. */
const nameUnits = 260;

function nameIn(data: Uint8Array<ArrayBuffer>): string {
  const units = new Uint16Array(data.buffer, nameOffset, nameUnits);
  const end = units.indexOf(0);
  return decodeUtf16(units.subarray(0, end < 0 ? nameUnits : end));
}

/**
 * The full names of all named pipes, sorted, each once. A name may hold
 * backslashes: the system keeps pipes in one flat list.
 *
 * @param folder Another folder, with a backslash at its end: tests list files.
 * @throws {HResultError} What the system answered.
 */
export function pipeNames(
  kernel32: PipeNameSymbols,
  folder: string = pipeFolder,
): string[] {
  const data = new Uint8Array(findDataBytes);
  const search = kernel32.FindFirstFileW(encodeUtf16(`${folder}*`), data);
  if (search === invalidHandle) {
    const code = kernel32.GetLastError();
    if (code === Win32.FileNotFound) return [];
    throw win32Error(code, "Cannot list the named pipes");
  }
  try {
    const names = new Set<string>();
    do names.add(folder + nameIn(data)); while (
      kernel32.FindNextFileW(search, data) !== 0
    );
    const code = kernel32.GetLastError();
    if (code === Win32.NoMoreFiles) return [...names].sort();
    throw win32Error(code, "Cannot list the named pipes");
  } finally {
    kernel32.FindClose(search);
  }
}
