/**
 * Streams over file descriptors: pipes, sockets and terminals on the event
 * loop, without a thread per descriptor.
 *
 * @module
 */

import { Socket } from "node:net";
import { ReadStream } from "node:tty";
import { closedError, type Duplex } from "../../base/duplex.ts";
import { ErrnoError } from "./errno.ts";
import { check, errno, libc } from "./libc.ts";
import { setWindowSize } from "./pty.ts";

/** What a descriptor is. */
export type FdKind = "pipe" | "socket" | "pty";

const fGetFlags = 3;
const fSetFlags = 4;
const accessMode = 3;
const readOnly = 0;
const writeOnly = 1;
const nonBlocking = 0o4000n;
const eAgain = 11;
const ePipe = 32;
const eIo = 5;

/** Errors with which a stream says that the peer is gone. */
const gone = new Set([
  "EPIPE",
  "ECONNRESET",
  "ECANCELED",
  "EIO",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_WRITE_AFTER_END",
]);

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    typeof error.code === "string" && gone.has(error.code);
}

/** The readable half of a Node stream as the reading half of a `Duplex`. */
class Reader {
  readonly #stream: Socket;
  #rest: Uint8Array | undefined;
  #ended = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(stream: Socket) {
    this.#stream = stream;
    const wake = (): void => this.#wake?.();
    const end = (): void => {
      this.#ended = true;
      wake();
    };
    stream.on("readable", wake);
    stream.on("end", end);
    stream.on("close", end);
    stream.on("error", (error) => {
      // A terminal whose last process is gone answers EIO: its end.
      if (!isGone(error)) this.#failure = error;
      end();
    });
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#rest === undefined) {
      const chunk: Uint8Array | null = this.#stream.read();
      if (chunk !== null) this.#rest = chunk;
      else if (this.#failure !== undefined) throw this.#failure;
      else if (this.#ended) return null;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const n = Math.min(this.#rest.length, buffer.length);
    buffer.set(this.#rest.subarray(0, n));
    this.#rest = n === this.#rest.length ? undefined : this.#rest.subarray(n);
    return n;
  }

  /** Nothing more is read, what is buffered is dropped. */
  stop(): void {
    this.#rest = undefined;
    this.#ended = true;
    this.#wake?.();
  }
}

function closing(stream: Socket): () => Promise<void> {
  const closed = new Promise<void>((resolve) => stream.once("close", resolve));
  return () => {
    stream.destroy();
    return closed;
  };
}

function socketDuplex(fd: number, mode: number): Duplex {
  const readable = mode !== writeOnly;
  const writable = mode !== readOnly;
  const stream = new Socket({ fd, readable, writable, allowHalfOpen: true });
  // Without a reader there is no listener that would start reading.
  const reader = readable ? new Reader(stream) : undefined;
  // A failed write rejects its own promise; the event says nothing more.
  stream.on("error", () => {});
  const destroy = closing(stream);
  let writeClosed = false;
  return {
    read: (buffer) => reader?.read(buffer) ?? Promise.resolve(null),
    write(bytes) {
      if (writeClosed || !writable) return Promise.reject(closedError());
      if (bytes.length === 0) return Promise.resolve();
      return new Promise((resolve, reject) => {
        stream.write(bytes, (error) => {
          if (!error) resolve();
          else reject(isGone(error) ? closedError() : error);
        });
      });
    },
    async closeWrite() {
      if (writeClosed) return;
      writeClosed = true;
      if (!writable || stream.destroyed) return;
      // Only the end of the last descriptor tells a pipe's reader.
      if (!readable) return await destroy();
      await new Promise<void>((resolve) => stream.end(() => resolve()));
    },
    close() {
      writeClosed = true;
      reader?.stop();
      return destroy();
    },
  };
}

/** Longest pause between attempts to write to a full terminal, milliseconds. */
const maxPause = 32;

/**
 * Writes to a terminal. Its kernel driver reports "writable" before there is
 * room, so that an edge-triggered event loop waits for ever (measured on 6.18);
 * a full terminal is therefore tried again after growing pauses.
 */
async function writeTerminal(
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
  isClosed: () => boolean,
): Promise<void> {
  let pause = 1;
  for (let sent = 0; sent < bytes.length;) {
    if (isClosed()) throw closedError("terminal");
    const rest = bytes.subarray(sent);
    const n = libc().write(fd, rest, BigInt(rest.length));
    if (n >= 0n) {
      sent += Number(n);
      pause = 1;
      continue;
    }
    const number = errno();
    if (number === eIo || number === ePipe) throw closedError("terminal");
    if (number !== eAgain) throw new ErrnoError(number, "Cannot write");
    await new Promise<void>((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, maxPause);
  }
}

/** A terminal as a stream. */
export interface TerminalDuplex extends Duplex {
  /**
   * Sets the size of the window.
   *
   * @returns False when the terminal is closed.
   */
  resize(columns: number, rows: number): boolean;
}

/**
 * A stream over the master of a terminal. Takes ownership of the descriptor.
 * `closeWrite()` does nothing.
 */
export function terminalDuplex(fd: number): TerminalDuplex {
  const flags = BigInt(check(libc().fcntl(fd, fGetFlags, 0n), "Cannot ask"));
  const set = libc().fcntl(fd, fSetFlags, flags | nonBlocking);
  check(set, "Cannot make the terminal non-blocking");
  const stream = new ReadStream(fd);
  const reader = new Reader(stream);
  const destroy = closing(stream);
  let closed = false;
  return {
    read: (buffer) => reader.read(buffer),
    async write(bytes) {
      const mine = new Uint8Array(bytes);
      await writeTerminal(fd, mine, () => closed || stream.destroyed);
    },
    resize: (columns, rows) =>
      !stream.destroyed && setWindowSize(fd, columns, rows),
    // A terminal has no half-close: its end is a character that users type.
    closeWrite: () => Promise.resolve(),
    close() {
      closed = true;
      reader.stop();
      return destroy();
    },
  };
}

/**
 * A stream over a descriptor. Takes ownership: the descriptor is closed with
 * the stream, at the latest by `close()`.
 *
 * A pipe's end has one direction: the other one is closed from the start. A
 * terminal's `closeWrite()` does nothing.
 *
 * @param fd The descriptor.
 * @param kind What it is.
 * @throws {ErrnoError} EBADF when the descriptor is not open.
 */
export function fdDuplex(fd: number, kind: FdKind): Duplex {
  if (kind === "pty") return terminalDuplex(fd);
  const flags = libc().fcntl(fd, fGetFlags, 0n);
  return socketDuplex(fd, check(flags, "Cannot use descriptor") & accessMode);
}
