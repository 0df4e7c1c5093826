/**
 * File descriptors: open, close, pipes and FIFOs.
 *
 * @module
 */

import { check, cString, libc } from "./libc.ts";

/** Flags of open(2), `asm-generic/fcntl.h`. */
export const OpenFlag = {
  /** Read only. */
  ReadOnly: 0,
  /** Write only. */
  WriteOnly: 1,
  /** Read and write. */
  ReadWrite: 2,
  /** Create the file when it is missing. */
  Create: 0o100,
  /** Every write goes to the end. */
  Append: 0o2000,
  /** The terminal does not become the controlling one. */
  NoTerminal: 0o400,
  /** Never wait. */
  NonBlocking: 0o4000,
  /** Not inherited by children. */
  CloseOnExec: 0o2000000,
} as const;

/**
 * Opens a file. Children do not inherit the descriptor.
 *
 * @param path The file.
 * @param flags Of {@linkcode OpenFlag}.
 * @param mode Permissions of a file that is created.
 * @returns A descriptor, which the caller closes.
 * @throws {ErrnoError} When the kernel refuses.
 */
export function open(path: string, flags: number, mode = 0o600): number {
  const all = flags | OpenFlag.CloseOnExec;
  return check(libc().open(cString(path), all, mode), `Cannot open "${path}"`);
}

/**
 * Closes a descriptor. The descriptor is gone whatever happens.
 *
 * @throws {ErrnoError} When it was not open, or what was written is lost.
 */
export function close(fd: number): void {
  check(libc().close(fd), `Cannot close descriptor ${fd}`);
}

/** `F_DUPFD_CLOEXEC`. */
const duplicateCloseOnExec = 1030;

/**
 * A second descriptor of the same open file. Children do not inherit it.
 *
 * @throws {ErrnoError} EBADF when the first one is not open.
 */
export function duplicate(fd: number): number {
  const result = libc().fcntl(fd, duplicateCloseOnExec, 3n);
  return check(result, `Cannot duplicate descriptor ${fd}`);
}

/** The two ends of a pipe. */
export interface Pipe {
  /** The end to read from. */
  readonly read: number;
  /** The end to write to. */
  readonly write: number;
}

/**
 * Makes a pipe with blocking ends that children do not inherit.
 *
 * @throws {ErrnoError} When there are too many descriptors.
 */
export function pipe(): Pipe {
  const fds = new Int32Array(2);
  check(libc().pipe2(fds, OpenFlag.CloseOnExec), "Cannot make a pipe");
  const [read, write] = fds;
  return { read: read!, write: write! };
}

/**
 * Makes a FIFO.
 *
 * @throws {ErrnoError} EEXIST when the path is taken.
 */
export function mkfifo(path: string, mode = 0o600): void {
  check(libc().mkfifo(cString(path), mode), `Cannot make FIFO "${path}"`);
}

/** `S_IFBLK`. */
const blockDevice = 0o060000;

/**
 * Makes the node of a block device that only root may use.
 *
 * @param device Its number, as the kernel writes it (`huge_encode_dev`).
 * @throws {ErrnoError} EEXIST when the path is taken.
 */
export function makeBlockNode(path: string, device: bigint): void {
  const mode = blockDevice | 0o600;
  const result = libc().mknod(cString(path), mode, device);
  check(result, `Cannot make device node "${path}"`);
}

/** `POLLHUP`. */
const hangUp = 0x10;

/**
 * Whether the last writer of a FIFO is gone. False while none has come since the
 * reading end was opened.
 *
 * @param fd The reading end.
 * @throws {ErrnoError} When the kernel refuses.
 */
export function hasHungUp(fd: number): boolean {
  const entry = new DataView(new ArrayBuffer(8)); // fd, events, revents
  entry.setInt32(0, fd, true);
  check(libc().poll(entry, 1n, 0), `Cannot poll descriptor ${fd}`);
  return (entry.getInt16(6, true) & hangUp) !== 0;
}
