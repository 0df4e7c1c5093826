/**
 * Hyper-V sockets: one connection.
 *
 * @module
 */

import type { Ws2_32Symbols } from "../library/ws2_32.ts";
import { addressFamily } from "./hv_address.ts";
import { OverlappedStream, type Transport } from "./overlapped_stream.ts";
import { isEndOfStream, Win32, win32Error } from "../library/win32_error.ts";
import type { WindowsIo } from "./windows_io.ts";

/** `SOCK_STREAM`. */
const stream = 1;

/** `HV_PROTOCOL_RAW`. */
const rawProtocol = 1;

/** `WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT`: no child keeps it open. */
const socketFlags = 0x81;

/** `SD_SEND`. */
const sendDirection = 1;

/** `INVALID_SOCKET`. */
export const invalidSocket = 0xffff_ffff_ffff_ffffn;

/** `SOL_SOCKET`. */
export const socketLevel = 0xffff;

/**
 * The code of a socket call that has just returned.
 *
 * @param ok What the call returned, as true for success.
 * @returns 0 when it succeeded or goes on.
 */
export function socketOutcome(ws2_32: Ws2_32Symbols, ok: boolean): number {
  if (ok) return 0;
  const code = ws2_32.WSAGetLastError();
  return code === Win32.IoPending ? 0 : code;
}

/**
 * Makes a Hyper-V socket.
 *
 * @param what What it is for, for the error.
 * @throws {HResultError} When the system has no Hyper-V sockets, or none left.
 */
export function openSocket(ws2_32: Ws2_32Symbols, what: string): bigint {
  const socket = ws2_32.WSASocketW(
    addressFamily,
    stream,
    rawProtocol,
    null,
    0,
    socketFlags,
  );
  if (socket !== invalidSocket) return socket;
  throw win32Error(
    ws2_32.WSAGetLastError(),
    `Cannot make a socket for ${what}`,
  );
}

/** The operations of a connected socket. */
function socketTransport(
  { port, libraries: { ws2_32 } }: WindowsIo,
  socket: bigint,
  name: string,
): Transport {
  return {
    name,
    // The slot's parameters hold the call's WSABUF (u32 length @0, address @8) and
    // flags @16: both must live as long as the operation.
    read: (address, length) =>
      port.submit(({ overlapped, parameters, view, at }) => {
        view.setUint32(at, length, true);
        view.setBigUint64(at + 8, address, true);
        view.setUint32(at + 16, 0, true);
        const flags = parameters + 16n;
        const result = ws2_32.WSARecv(
          socket,
          parameters,
          1,
          0n,
          flags,
          overlapped,
          0n,
        );
        return socketOutcome(ws2_32, result === 0);
      }),
    write: (address, length) =>
      port.submit(({ overlapped, parameters, view, at }) => {
        view.setUint32(at, length, true);
        view.setBigUint64(at + 8, address, true);
        const result = ws2_32.WSASend(
          socket,
          parameters,
          1,
          0n,
          0,
          overlapped,
          0n,
        );
        return socketOutcome(ws2_32, result === 0);
      }),
    endWrite: () => {
      if (ws2_32.shutdown(socket, sendDirection) === 0) return;
      const code = ws2_32.WSAGetLastError();
      if (isEndOfStream(code)) return; // There is nobody to tell.
      throw win32Error(code, `Cannot end the output of ${name}`);
    },
    cancel: () => port.cancel(socket),
    close: () => void ws2_32.closesocket(socket),
  };
}

/**
 * Makes a stream of a connected socket that completes on the port.
 *
 * @param socket Attached; the stream's from now on.
 * @param name For error messages.
 */
export function socketStream(
  io: WindowsIo,
  socket: bigint,
  name: string,
): OverlappedStream {
  return new OverlappedStream(socketTransport(io, socket, name), io.buffers);
}
