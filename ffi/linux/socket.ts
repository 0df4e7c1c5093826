/**
 * Sockets whose descriptor is handed on, for example to mount(2). Streams for
 * our own reading and writing are Deno's.
 *
 * @module
 */

import { ErrnoError, isErrno } from "./errno.ts";
import { close, OpenFlag } from "./files.ts";
import { check, libc } from "./libc.ts";

/** `AF_UNIX`. */
export const afUnix = 1;
/** `AF_VSOCK`. */
const afVsock = 40;
/** `SOL_SOCKET`. */
export const solSocket = 1;
/** `SO_ERROR`. */
const pendingError = 4;
/** `SO_SNDBUF`. */
const sendBuffer = 7;
/** `SO_RCVBUF`. */
const receiveBuffer = 8;
/** `POLLOUT`. */
const writable = 4;
/** Longest path of `struct sockaddr_un`. */
const maxSocketPath = 107;

/**
 * `struct sockaddr_un`: family u16, path.
 *
 * @param what What the address is for, for the message of the error.
 * @throws {ErrnoError} ENAMETOOLONG.
 */
export function unixAddress(
  path: string,
  what: string,
): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length > maxSocketPath) throw new ErrnoError(36, what);
  const address = new Uint8Array(110);
  address[0] = afUnix;
  address.set(bytes, 2);
  return address;
}

/** `struct sockaddr_vm`: family u16, reserved u16, port u32, context id u32. */
export function vsockAddress(
  cid: number,
  port: number,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint16(0, afVsock, true);
  view.setUint32(4, port, true);
  view.setUint32(8, cid, true);
  return new Uint8Array(view.buffer);
}

/** A socket that does not wait and that children do not inherit. */
export function streamSocket(family: number): number {
  const stream = 1; // SOCK_STREAM; the flags are those of open(2)
  const type = stream | OpenFlag.NonBlocking | OpenFlag.CloseOnExec;
  return check(libc().socket(family, type, 0), "Cannot make a socket");
}

/** Where a socket connects to. */
export type SocketAddress =
  | { readonly cid: number; readonly port: number }
  | { readonly path: string };

/**
 * Connects a socket without occupying a thread.
 *
 * @param pause Called between two looks at a connection that takes time; its
 * rejection ends the attempt.
 * @returns The descriptor, which the caller closes.
 * @throws {ErrnoError} When nobody listens, or the connection failed.
 */
export async function connectSocket(
  address: SocketAddress,
  pause: () => Promise<void>,
): Promise<number> {
  const unix = "path" in address;
  const what = unix
    ? `Cannot connect to "${address.path}"`
    : `Cannot connect to vsock port ${address.port}`;
  const bytes = unix
    ? unixAddress(address.path, what)
    : vsockAddress(address.cid, address.port);
  const fd = streamSocket(unix ? afUnix : afVsock);
  try {
    try {
      check(libc().connect(fd, bytes, bytes.length), what);
    } catch (error) {
      // Interrupted, the connection goes on by itself as well.
      if (!isErrno(error, "EINPROGRESS", "EINTR")) throw error;
      while (!isWritable(fd)) await pause();
      const number = socketError(fd);
      if (number !== 0) throw new ErrnoError(number, what);
    }
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

function isWritable(fd: number): boolean {
  const entry = new DataView(new ArrayBuffer(8)); // fd, events, revents
  entry.setInt32(0, fd, true);
  entry.setInt16(4, writable, true);
  check(libc().poll(entry, 1n, 0), `Cannot poll descriptor ${fd}`);
  return entry.getInt16(6, true) !== 0;
}

function socketError(fd: number): number {
  const value = new Int32Array(1);
  const length = new Uint32Array([value.byteLength]);
  const { getsockopt } = libc();
  const result = getsockopt(fd, solSocket, pendingError, value, length);
  check(result, `Cannot ask descriptor ${fd} for its error`);
  return value[0]!;
}

/**
 * Sets how many bytes a socket holds in each direction.
 *
 * @throws {ErrnoError} When the descriptor is no socket.
 */
export function setSocketBuffers(fd: number, size: number): void {
  const value = new Int32Array([size]);
  for (const option of [receiveBuffer, sendBuffer]) {
    const { setsockopt } = libc();
    check(
      setsockopt(fd, solSocket, option, value, value.byteLength),
      `Cannot set the buffers of descriptor ${fd}`,
    );
  }
}

/** `SHUT_RDWR`. */
const bothDirections = 2;

/**
 * Ends both directions of a socket, for everybody who has it. One that is not
 * connected any more is a success.
 *
 * @throws {ErrnoError} When the descriptor is no socket.
 */
export function shutdownSocket(fd: number): void {
  try {
    const result = libc().shutdown(fd, bothDirections);
    check(result, `Cannot shut descriptor ${fd} down`);
  } catch (error) {
    if (!isErrno(error, "ENOTCONN")) throw error;
  }
}
