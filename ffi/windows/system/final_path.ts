/**
 * The final path of a file: symbolic links, junctions and drive letters resolved.
 *
 * @module
 */

import { invalidHandle, type Kernel32Symbols } from "../library/kernel32.ts";
import { decodeUtf16, encodeUtf16 } from "../library/utf16.ts";
import { Win32, win32Error } from "../library/win32_error.ts";

/** The symbols that resolve a path. */
export type PathSymbols = Pick<
  Kernel32Symbols,
  "CreateFileW" | "GetFinalPathNameByHandleW" | "CloseHandle" | "GetLastError"
>;

/** `FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE`. */
const shareAll = 7;

/** `OPEN_EXISTING`. */
const openExisting = 3;

/** `FILE_FLAG_BACKUP_SEMANTICS`: opens folders, too. */
const backupSemantics = 0x0200_0000;

/** `VOLUME_NAME_DOS`: `\\?\C:\…`. */
const volumeNameDos = 0;

/** `VOLUME_NAME_GUID`: `\\?\Volume{…}\…`. */
const volumeNameGuid = 1;

/** `FILE_NAME_OPENED`: as it was opened, for parts that may not be looked at. */
const fileNameOpened = 8;

/** `ERROR_PATH_NOT_FOUND`: the volume has no GUID, for example a network share. */
const pathNotFound = 3;

/** `ERROR_NOT_SUPPORTED`: Wine's answer for volumes without a GUID. */
const notSupported = 50;

/** Units of the longest path. */
const maxPath = 32_768;

/** Forms to ask for, and after which failure of the form before. */
const forms: readonly {
  readonly flags: number;
  readonly after: readonly number[];
}[] = [
  { flags: volumeNameGuid, after: [] },
  { flags: volumeNameDos, after: [pathNotFound, notSupported] },
  { flags: volumeNameDos | fileNameOpened, after: [Win32.AccessDenied] },
];

/**
 * Resolves a path to the form in which the compute service gets disks:
 * `\\?\Volume{…}\…`, or `\\?\C:\…` where the volume has no GUID.
 *
 * @throws {HResultError} NotFound class when there is no such file; what else the
 *   system answered.
 */
export function finalPath(kernel32: PathSymbols, path: string): string {
  const handle = kernel32.CreateFileW(
    encodeUtf16(path),
    0,
    shareAll,
    null,
    openExisting,
    backupSemantics,
    0n,
  );
  if (handle === invalidHandle) {
    throw win32Error(kernel32.GetLastError(), `Cannot resolve "${path}"`);
  }
  try {
    return withoutUncPrefix(finalName(kernel32, handle, path));
  } finally {
    kernel32.CloseHandle(handle);
  }
}

function finalName(
  kernel32: PathSymbols,
  handle: bigint,
  path: string,
): string {
  const name = new Uint16Array(maxPath);
  let code = 0;
  for (const { flags, after } of forms) {
    if (code !== 0 && !after.includes(code)) continue;
    const length = kernel32.GetFinalPathNameByHandleW(
      handle,
      name,
      name.length,
      flags,
    );
    if (length > 0 && length < name.length) {
      return decodeUtf16(name.subarray(0, length));
    }
    code = kernel32.GetLastError();
  }
  throw win32Error(code, `Cannot resolve "${path}"`);
}

/** The compute service takes a network path only in its plain form. */
function withoutUncPrefix(path: string): string {
  return path.replace(/^\\\\\?\\UNC\\/i, "\\\\");
}
