/**
 * Win32 codes as the product's errors.
 *
 * @module
 */

import { HResultError } from "../../../base/hresult.ts";

/** Codes of `winerror.h` that the product compares with. */
export const Win32 = {
  /** There is no such file or pipe. */
  FileNotFound: 2,
  /** Not allowed; also: somebody else has the first instance of a pipe. */
  AccessDenied: 5,
  /** End of a list. */
  NoMoreFiles: 18,
  /** End of a file. */
  HandleEof: 38,
  /** The other side of a connection is gone. */
  NetnameDeleted: 64,
  /** The other side of a pipe is gone. */
  BrokenPipe: 109,
  /** A buffer is too small. */
  InsufficientBuffer: 122,
  /** Something of this name is there already. */
  AlreadyExists: 183,
  /** All instances of a pipe are taken. */
  PipeBusy: 231,
  /** The pipe is being closed. */
  NoData: 232,
  /** Nobody is at the other end of the pipe. */
  PipeNotConnected: 233,
  /** A client was there before the server waited for it: a success. */
  PipeConnected: 535,
  /** The wait for completions ended because the port is closed. */
  AbandonedWait: 735,
  /** The operation was cancelled. */
  OperationAborted: 995,
  /** The operation goes on and completes on the port. */
  IoPending: 997,
  /** Nothing to cancel. */
  NotFound: 1168,
  /** The connection was given up here. */
  ConnectionAborted: 1236,
  /** Sockets: the address is taken. */
  WsaAddressInUse: 10048,
  /** Sockets: the connection was given up here. */
  WsaConnectionAborted: 10053,
  /** Sockets: the other side reset the connection. */
  WsaConnectionReset: 10054,
  /** Sockets: no connection. */
  WsaNotConnected: 10057,
  /** Sockets: the direction is shut down. */
  WsaShutdown: 10058,
} as const;

/** Codes with which the other side, or a close on this one, ends a stream. */
const ends: ReadonlySet<number> = new Set<number>([
  Win32.HandleEof,
  Win32.NetnameDeleted,
  Win32.BrokenPipe,
  Win32.NoData,
  Win32.PipeNotConnected,
  Win32.OperationAborted,
  Win32.ConnectionAborted,
  Win32.WsaConnectionAborted,
  Win32.WsaConnectionReset,
  Win32.WsaNotConnected,
  Win32.WsaShutdown,
]);

/** True when a read with this code is the end of the stream, not a failure. */
export function isEndOfStream(code: number): boolean {
  return ends.has(code);
}

/** The error of a Win32 code. */
export function win32Error(code: number, message: string): HResultError {
  return new HResultError((0x8007_0000 | code) >>> 0, message);
}

/** True when an error is this Win32 code. */
export function isWin32(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof HResultError &&
    (error.hresult & 0xffff_0000) >>> 0 === 0x8007_0000 &&
    codes.includes(error.hresult & 0xffff);
}
