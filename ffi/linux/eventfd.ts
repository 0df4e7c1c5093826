/**
 * Counters that the kernel raises (eventfd(2)), on the event loop, without a
 * thread per counter.
 *
 * @module
 */

import { Socket, type SocketConstructorOpts } from "node:net";
import process from "node:process";
import { ShimError } from "../../base/errors.ts";
import { close } from "./files.ts";
import { check, libc } from "./libc.ts";

/** `EFD_CLOEXEC` and `EFD_NONBLOCK`, `sys/eventfd.h`. */
const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;

/** A counter that was made for one interface of the kernel. */
export interface EventCounter {
  /** The descriptor, which the counter owns. */
  readonly fd: number;
  /**
   * Waits until the counter was raised since the last call. One wait at a time.
   *
   * @returns False when the counter is closed.
   */
  wait(): Promise<boolean>;
  /** Frees the descriptor; a wait ends. Idempotent. */
  close(): Promise<void>;
}

/** What is used of Node's handle of a pipe; `node:process` does not declare it. */
interface PipeWrap {
  readonly Pipe: new (type: number) => { open(fd: number): number };
  readonly constants: { readonly SOCKET: number };
}

/**
 * A stream over an eventfd: eight bytes whenever it was raised. `Socket({ fd })`
 * refuses one, because it is neither pipe nor socket; the handle behind it, which
 * reads whatever can be polled, does not (measured with Deno 2.9.6: 40 000 events
 * of 8 threads, none lost, no time of the processor between them). The other way
 * is a thread of Deno's small pool that waits in poll(2).
 */
function eventStream(fd: number): Socket {
  const { binding } = process as unknown as {
    readonly binding?: (name: "pipe_wrap") => PipeWrap;
  };
  const wrap = binding?.("pipe_wrap");
  const handle = wrap && new wrap.Pipe(wrap.constants.SOCKET);
  if (handle === undefined || handle.open(fd) !== 0) {
    throw new ShimError(
      "NotImplemented",
      "Cannot wait for events: this Deno does not read an eventfd",
    );
  }
  const options = { handle, readable: true, writable: false };
  return new Socket(options as SocketConstructorOpts);
}

/**
 * Makes a counter, at 0. Children do not inherit it.
 *
 * @throws {ErrnoError} When there are too many descriptors.
 * @throws {ShimError} NotImplemented when Deno cannot wait for one.
 */
export function eventCounter(): EventCounter {
  const flags = closeOnExec | nonBlocking;
  const fd = check(libc().eventfd(0, flags), "Cannot make an event counter");
  let stream: Socket;
  try {
    stream = eventStream(fd);
  } catch (error) {
    close(fd);
    throw error;
  }
  let wake = (): void => {};
  let failure: unknown;
  stream.on("readable", () => wake());
  stream.on("error", (error) => failure = error);
  const closed = new Promise<void>((resolve) =>
    stream.once("close", () => {
      wake();
      resolve();
    })
  );
  return {
    fd,
    async wait() {
      for (;;) {
        // What was raised meanwhile is taken at once.
        if (stream.destroyed) break;
        if (stream.read() !== null) return true;
        await new Promise<void>((resolve) => wake = resolve);
      }
      if (failure !== undefined) throw failure;
      return false;
    },
    close() {
      stream.destroy();
      return closed;
    },
  };
}
