/**
 * The FIFOs over which containerd carries the stdio of a task.
 *
 * @module
 */

import { closedError, type Duplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import type { StdioName } from "../../hcs/stdio.ts";
import { fdDuplex } from "./fd_stream.ts";
import { close, hasHungUp, open, OpenFlag } from "./files.ts";

const { NonBlocking, ReadOnly, ReadWrite, WriteOnly } = OpenFlag;

/** Opens both ends without waiting for the peer; never leaks one of them. */
function openBoth(path: string, first: number, second: number): {
  first: number;
  second: number;
} {
  const one = open(path, first | NonBlocking);
  try {
    return { first: one, second: open(path, second | NonBlocking) };
  } catch (error) {
    close(one);
    throw error;
  }
}

/** Closes a descriptor at most once. */
function closeOnce(fd: number): () => void {
  let closed = false;
  return () => {
    if (closed) return;
    closed = true;
    close(fd);
  };
}

/**
 * The reading end as a stream that outlives its writers: from the first read on
 * it keeps a writing end of its own. A client may have said everything before
 * that, while the task was being made, and have gone: then nobody is left to say
 * that nothing more will come (`ctr` does not), and no end is kept.
 */
function input(fd: number): Duplex {
  let stream: Duplex | undefined;
  let drop: (() => void) | undefined;
  let last = false;
  const closeUnread = closeOnce(fd);
  const finish = (): void => {
    last = true;
    drop?.();
  };
  const opened = (): Duplex => {
    if (!last && !hasHungUp(fd)) {
      const kept = open(`/proc/self/fd/${fd}`, WriteOnly | NonBlocking);
      drop = closeOnce(kept);
    }
    return fdDuplex(fd, "pipe");
  };
  let closed = false;
  return {
    async read(buffer) {
      if (closed) return null;
      stream ??= opened();
      return await stream.read(buffer);
    },
    write: () => Promise.reject(closedError()),
    closeWrite: () => Promise.resolve(finish()),
    async close() {
      closed = true;
      finish();
      if (stream === undefined) closeUnread();
      else await stream.close();
    },
  };
}

/**
 * Opens one stream of a task. Never waits for the peer.
 *
 * `stdin` is read: a writer that goes away does not end it, because another
 * one may attach, unless it went before the first read; `closeWrite()` says that
 * none will come, so that reads give what is left and then null.
 *
 * `stdout` and `stderr` are written: without a reader, writes wait until one
 * reads (a pipe holds 64 KiB), and its going away is no error.
 *
 * @param path The FIFO.
 * @param name Which stream it carries.
 * @throws {ShimError} NotFound when there is no such path, InvalidArgument
 * when it is no FIFO.
 */
export async function openFifo(path: string, name: StdioName): Promise<Duplex> {
  const { isFifo } = await Deno.stat(path);
  if (!isFifo) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot open ${name} "${path}": it is no FIFO`,
    );
  }
  if (name === "stdin") return input(open(path, ReadOnly | NonBlocking));
  // The kept end lets the writing end open without a reader, and makes the
  // reader's end no error. It is never read: a descriptor with both directions
  // on the event loop would read back its own output.
  const { first: kept, second: fd } = openBoth(path, ReadWrite, WriteOnly);
  const drop = closeOnce(kept);
  const stream = fdDuplex(fd, "pipe");
  return {
    read: (buffer) => stream.read(buffer),
    write: (bytes) => stream.write(bytes),
    async closeWrite() {
      await stream.closeWrite();
      drop();
    },
    async close() {
      await stream.close();
      drop();
    },
  };
}
