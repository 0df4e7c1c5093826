/**
 * Terminals: the socket over which a container runtime hands the master of a
 * new terminal, and the size of its window.
 *
 * @module
 */

import { ErrnoError, isErrno } from "./errno.ts";
import { close, open, OpenFlag } from "./files.ts";
import { addressOf, check, libc } from "./libc.ts";
import { afUnix, solSocket, streamSocket, unixAddress } from "./socket.ts";

const scmRights = 1;
const msgDontWait = 0x40;
const msgCmsgCloseOnExec = 0x40000000;
const tiocSetWindowSize = 0x5414n;

/** Where a container runtime sends the master of a terminal (`--console-socket`). */
export interface ConsoleSocket {
  /** The socket's path, for the runtime. */
  readonly path: string;
  /**
   * The master that the runtime sent before it exited; the caller closes it.
   *
   * @throws {ErrnoError} EAGAIN when the runtime sent none.
   */
  take(): number;
  /** Closes and removes the socket. */
  close(): void;
}

/**
 * Listens for one terminal.
 *
 * The runtime sends the descriptor before it exits, so nothing here waits:
 * {@linkcode ConsoleSocket.take} is called after the runtime's success.
 *
 * @throws {ErrnoError} EADDRINUSE when the path is taken.
 */
export function listenConsole(path: string): ConsoleSocket {
  const c = libc();
  const what = `Cannot listen on "${path}"`;
  const address = unixAddress(path, what);
  const listener = streamSocket(afUnix);
  try {
    check(c.bind(listener, address, address.length), what);
    check(c.listen(listener, 1), what);
  } catch (error) {
    close(listener);
    throw error;
  }
  return {
    path,
    take() {
      const flags = OpenFlag.NonBlocking | OpenFlag.CloseOnExec;
      const what = `Cannot take a terminal from "${path}"`;
      const conn = check(c.accept4(listener, null, null, flags), what);
      try {
        return receiveDescriptor(conn, what);
      } finally {
        close(conn);
      }
    },
    close() {
      close(listener);
      Deno.removeSync(path);
    },
  };
}

/** Receives one descriptor (`SCM_RIGHTS`); surplus ones are closed. */
function receiveDescriptor(socket: number, what: string): number {
  const data = new Uint8Array(4096);
  const vector = new BigUint64Array([addressOf(data), BigInt(data.length)]);
  const control = new Uint8Array(256);
  // struct msghdr: name 0, name length 8, vector 16, its count 24, control 32,
  // its length 40, flags 48.
  const header = new DataView(new ArrayBuffer(56));
  header.setBigUint64(16, addressOf(vector), true);
  header.setBigUint64(24, 1n, true);
  header.setBigUint64(32, addressOf(control), true);
  header.setBigUint64(40, BigInt(control.length), true);
  const flags = msgDontWait | msgCmsgCloseOnExec;
  const bytes = new Uint8Array(header.buffer);
  check(libc().recvmsg(socket, bytes, flags), what);
  const fds = descriptors(control, Number(header.getBigUint64(40, true)));
  const [first, ...surplus] = fds;
  surplus.forEach(close);
  if (first === undefined) throw new ErrnoError(11, what);
  return first;
}

/** Descriptors of the first control message: length 0, level 8, type 12, data 16. */
function descriptors(control: Uint8Array, length: number): number[] {
  if (length < 20) return [];
  const view = new DataView(control.buffer);
  const rights = view.getInt32(8, true) === solSocket &&
    view.getInt32(12, true) === scmRights;
  if (!rights) return [];
  const end = Math.min(Number(view.getBigUint64(0, true)), length);
  const fds: number[] = [];
  for (let at = 16; at + 4 <= end; at += 4) fds.push(view.getInt32(at, true));
  return fds;
}

const tiocSetLock = 0x40045431n;
const tiocGetNumber = 0x80045430n;

/** A new terminal. */
export interface Terminal {
  /** The master; the caller closes it. */
  readonly master: number;
  /** Path of the other side, for the process. */
  readonly path: string;
}

/**
 * Makes a terminal.
 *
 * @throws {ErrnoError} ENOSPC when there are too many.
 */
export function openTerminal(): Terminal {
  const { NoTerminal, ReadWrite } = OpenFlag;
  const master = open("/dev/ptmx", ReadWrite | NoTerminal);
  try {
    const number = new Int32Array(1);
    const what = "Cannot make a terminal";
    check(libc().ioctl(master, tiocSetLock, number), what);
    check(libc().ioctl(master, tiocGetNumber, number), what);
    return { master, path: `/dev/pts/${number[0]}` };
  } catch (error) {
    close(master);
    throw error;
  }
}

/**
 * Sets the size of a terminal's window; its foreground processes get SIGWINCH.
 *
 * @param master The terminal.
 * @param columns Characters of a line, 0 … 65535.
 * @param rows Lines, 0 … 65535.
 * @returns False when the terminal is gone.
 */
export function setWindowSize(
  master: number,
  columns: number,
  rows: number,
): boolean {
  const size = new Uint16Array([rows, columns, 0, 0]);
  const result = libc().ioctl(master, tiocSetWindowSize, size);
  if (result === 0) return true;
  try {
    check(result, "Cannot resize the terminal");
    return true;
  } catch (error) {
    if (isErrno(error, "EIO", "EBADF")) return false;
    throw error;
  }
}
