/**
 * Named pipes: one connected end of one, and how a client gets one.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import { ShimError } from "../../../base/errors.ts";
import { invalidHandle } from "../library/kernel32.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { OverlappedStream, type Transport } from "./overlapped_stream.ts";
import { Win32, win32Error } from "../library/win32_error.ts";
import type { WindowsIo } from "./windows_io.ts";

/** Where all names of pipes of this machine begin. */
export const pipePrefix = "\\\\.\\pipe\\";

/** Where only administrators may make pipes. */
export const protectedPrefix =
  `${pipePrefix}ProtectedPrefix\\Administrators\\` as const;

/** `GENERIC_READ | GENERIC_WRITE`. */
const readAndWrite = 0xc000_0000;

/** `OPEN_EXISTING`. */
const openExisting = 3;

/**
 * `FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS`: the server
 * must not act in our name.
 */
const clientFlags = 0x4010_0000;

/** Milliseconds between attempts at a pipe whose instances are all taken (hcsshim: 10). */
const busyPause = 10;

/**
 * Requires the name of a pipe of this machine. A pipe of another machine would
 * block the process while the network is asked. Windows resolves `..` in such
 * names, so that they could lead to any file, disk or share.
 *
 * @throws {ShimError} InvalidArgument.
 */
export function requirePipeName(name: string): void {
  const parts = name.slice(pipePrefix.length).split(/[\\/]/);
  const isPlain = name.length > pipePrefix.length &&
    !parts.includes(".") && !parts.includes("..");
  if (name.toLowerCase().startsWith(pipePrefix) && isPlain) return;
  throw new ShimError(
    "InvalidArgument",
    `"${name}" is no named pipe of this machine: expected ${pipePrefix}NAME`,
  );
}

/** The operations of one end of a pipe. */
function pipeTransport(io: WindowsIo, handle: bigint, name: string): Transport {
  const { port, libraries: { kernel32 } } = io;
  const outcome = (ok: number): number => {
    if (ok !== 0) return 0;
    const code = kernel32.GetLastError();
    return code === Win32.IoPending ? 0 : code;
  };
  return {
    name: `pipe "${name}"`,
    read: (address, length) =>
      port.submit(({ overlapped }) =>
        outcome(kernel32.ReadFile(handle, address, length, 0n, overlapped))
      ),
    write: (address, length) =>
      port.submit(({ overlapped }) =>
        outcome(kernel32.WriteFile(handle, address, length, 0n, overlapped))
      ),
    // A byte pipe has no half-close: the reader sees the end at the close.
    endWrite: () => {},
    cancel: () => port.cancel(handle),
    close: () => void kernel32.CloseHandle(handle),
  };
}

/**
 * Makes a stream of an open end of a pipe that completes on the port.
 *
 * @param handle Overlapped and attached; the stream's from now on.
 */
export function pipeStream(
  io: WindowsIo,
  handle: bigint,
  name: string,
): OverlappedStream {
  return new OverlappedStream(pipeTransport(io, handle, name), io.buffers);
}

/** How long a client tries. */
export interface PipeDialOptions {
  /** Source of time. */
  readonly clock: Clock;
  /** Milliseconds for which a busy pipe is tried again. */
  readonly busyLimit: number;
  /** Ends the attempts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to a pipe as a client. One whose instances are all taken is tried
 * again; any other failure is final.
 *
 * @throws {HResultError} NotFound class when there is no such pipe; what the system answered.
 * @throws {ShimError} InvalidArgument when it is no pipe of this machine.
 * @throws The signal's reason.
 */
export async function dialPipe(
  io: WindowsIo,
  name: string,
  { clock, busyLimit, signal }: PipeDialOptions,
): Promise<OverlappedStream> {
  requirePipeName(name);
  const file = encodeUtf16(name);
  const { kernel32 } = io.libraries;
  const end = clock.now() + busyLimit;
  for (;;) {
    signal?.throwIfAborted();
    const handle = kernel32.CreateFileW(
      file,
      readAndWrite,
      0,
      null,
      openExisting,
      clientFlags,
      0n,
    );
    if (handle !== invalidHandle) return adopt(io, handle, name);
    const code = kernel32.GetLastError();
    if (code !== Win32.PipeBusy || clock.now() >= end) {
      throw win32Error(code, `Cannot connect to pipe "${name}"`);
    }
    await clock.sleep(busyPause, signal);
  }
}

/** A stream of a handle that is not attached yet; closes it when it cannot be. */
function adopt(io: WindowsIo, handle: bigint, name: string): OverlappedStream {
  try {
    io.port.attach(handle, `pipe "${name}"`);
  } catch (error) {
    io.libraries.kernel32.CloseHandle(handle);
    throw error;
  }
  return pipeStream(io, handle, name);
}
