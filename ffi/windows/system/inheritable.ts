/**
 * Handles that a child may inherit: one end of a pipe, a file.
 *
 * @module
 */

import { pipeStream } from "../io/pipe.ts";
import { administratorsOnly, withSecurity } from "../io/security.ts";
import type { WindowsIo } from "../io/windows_io.ts";
import type { Duplex } from "../../../base/duplex.ts";
import { invalidHandle } from "../library/kernel32.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { win32Error } from "../library/win32_error.ts";

/** `PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE`. */
const openMode = 0x4008_0003;

/** Byte pipe, remote clients rejected. */
const pipeMode = 8;

/** Bytes that each direction holds. */
const quota = 64 * 1024;

/** `GENERIC_READ | GENERIC_WRITE`. */
const readAndWrite = 0xc000_0000;

/** `GENERIC_WRITE`. */
const writeOnly = 0x4000_0000;

/** `OPEN_EXISTING`. */
const openExisting = 3;

/** `CREATE_ALWAYS`. */
const createAlways = 2;

/** `FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE`. */
const shareAll = 7;

/** `FILE_ATTRIBUTE_NORMAL`. */
const normal = 0x80;

/** `SECURITY_ATTRIBUTES` that only say "inheritable". */
function inheritable(): Uint8Array<ArrayBuffer> {
  const attributes = new Uint8Array(24);
  const view = new DataView(attributes.buffer);
  view.setUint32(0, attributes.length, true);
  view.setUint32(16, 1, true); // BOOL bInheritHandle
  return attributes;
}

/**
 * Makes a pipe between this process and a child.
 *
 * @returns This side as a stream, and the child's handle, which the caller closes
 *   once the child has it.
 * @throws {HResultError} What the system answered.
 */
export function childPipe(io: WindowsIo): { stream: Duplex; child: bigint } {
  const { kernel32 } = io.libraries;
  const name = `\\\\.\\pipe\\lcow-child-${crypto.randomUUID()}`;
  const file = encodeUtf16(name);
  const failure = (): Error =>
    win32Error(kernel32.GetLastError(), "Cannot make a pipe to a child");
  const mine = withSecurity(io.libraries, administratorsOnly, (attributes) => {
    const made = kernel32.CreateNamedPipeW(
      file,
      openMode,
      pipeMode,
      1,
      quota,
      quota,
      0,
      attributes,
    );
    if (made === invalidHandle) throw failure();
    return made;
  });
  try {
    const child = kernel32.CreateFileW(
      file,
      readAndWrite,
      0,
      inheritable(),
      openExisting,
      normal,
      0n,
    );
    if (child === invalidHandle) throw failure();
    try {
      io.port.attach(mine, `pipe "${name}"`);
      return { stream: pipeStream(io, mine, name), child };
    } catch (error) {
      kernel32.CloseHandle(child);
      throw error;
    }
  } catch (error) {
    kernel32.CloseHandle(mine);
    throw error;
  }
}

/**
 * Opens an empty file for a child to write to. Others may read and remove it.
 *
 * @throws {HResultError} What the system answered.
 */
export function childFile(io: WindowsIo, path: string): bigint {
  const { kernel32 } = io.libraries;
  const handle = kernel32.CreateFileW(
    encodeUtf16(path),
    writeOnly,
    shareAll,
    inheritable(),
    createAlways,
    normal,
    0n,
  );
  if (handle !== invalidHandle) return handle;
  throw win32Error(kernel32.GetLastError(), `Cannot write "${path}"`);
}
