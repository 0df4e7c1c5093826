/**
 * Reading `/dev/kmsg` record by record.
 *
 * @module
 */

import { ErrnoError } from "./errno.ts";
import { close, open, OpenFlag, pipe } from "./files.ts";
import { errno, libc } from "./libc.ts";

const eIntr = 4;
const eAgain = 11;
const ePipe = 32;

/** `POLLIN`. */
const readable = 1;

/** The longest record of the kernel and its header. */
const recordSize = 8192;

/** Records of the kernel's log. */
export interface KernelLog {
  /**
   * The next record, its header before the first `;`. Occupies one thread of
   * the pool while it waits.
   *
   * @returns Null after {@linkcode KernelLog.close}.
   * @throws {ErrnoError} When the log cannot be read.
   */
  next(): Promise<string | null>;
  /** Ends a waiting `next`. Idempotent. */
  close(): void;
}

/** Two `struct pollfd`: fd, events, revents. */
function pollEntries(...fds: number[]): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(8 * fds.length));
  fds.forEach((fd, i) => {
    view.setInt32(8 * i, fd, true);
    view.setInt16(8 * i + 4, readable, true);
  });
  return view;
}

/**
 * Opens the kernel's log at its oldest record. Records that are overwritten
 * before they are read are left out.
 *
 * @param path The device; tests give a FIFO.
 * @throws {ErrnoError} When it cannot be opened.
 */
export function openKernelLog(path = "/dev/kmsg"): KernelLog {
  const fd = open(path, OpenFlag.ReadOnly | OpenFlag.NonBlocking);
  const wake = pipe();
  const buffer = new Uint8Array(recordSize);
  let closed = false;
  let waiting = false;
  const release = (): void => {
    close(fd);
    close(wake.read);
  };
  /** A record, undefined when there is none now. */
  const read = (): string | undefined => {
    for (;;) {
      const n = libc().read(fd, buffer, BigInt(buffer.length));
      if (n > 0n) {
        return new TextDecoder().decode(buffer.subarray(0, Number(n)));
      }
      if (n === 0n) return undefined;
      const number = errno();
      if (number === eAgain) return undefined;
      if (number !== ePipe && number !== eIntr) {
        throw new ErrnoError(number, `Cannot read "${path}"`);
      }
    }
  };
  const wait = async (): Promise<void> => {
    waiting = true;
    try {
      const entries = pollEntries(fd, wake.read);
      // An interrupted wait is begun again by the caller's loop.
      await libc().pollBlocking(entries, 2n, -1);
    } finally {
      waiting = false;
      if (closed) release();
    }
  };
  return {
    async next() {
      while (!closed) {
        const record = read();
        if (record !== undefined) return record;
        await wait();
      }
      return null;
    },
    close() {
      if (closed) return;
      closed = true;
      // Its hang-up wakes the waiting thread.
      close(wake.write);
      if (!waiting) release();
    },
  };
}
