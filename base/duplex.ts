/**
 * A stream of bytes in both directions: the contract that every transport
 * (Hyper-V socket, named pipe, Unix socket, memory) satisfies.
 *
 * @module
 */

import { ShimError } from "./errors.ts";

/**
 * One end of a two-way byte stream.
 *
 * One reader and one writer at a time. A buffer belongs to the stream from the
 * call until its promise settles.
 */
export interface Duplex {
  /** Reads at least one byte into `buffer`; null at the end of the stream. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Resolves when **all** bytes are accepted; rejects after a close. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the outgoing direction; the peer reads null. Idempotent. */
  closeWrite(): Promise<void>;
  /**
   * Ends both directions: a pending read resolves with null, a pending write
   * rejects. Idempotent.
   */
  close(): Promise<void>;
}

/** Accepts streams. */
export interface DuplexListener {
  /**
   * The next stream.
   *
   * @throws {ShimError} Unavailable once the listener is closed; the signal's
   * reason when it aborts.
   */
  accept(signal?: AbortSignal): Promise<Duplex>;
  /** Stops accepting; pending accepts reject. Idempotent. */
  close(): Promise<void>;
}

/**
 * The error of a write to a stream that is closed.
 *
 * @param what What is closed.
 * @param cause How the system says so, when the other side closed it.
 */
export function closedError(what = "stream", cause?: unknown): ShimError {
  const message = `Cannot write: the ${what} is closed`;
  return new ShimError("Unavailable", message, { cause });
}

/**
 * Fills a buffer from a stream.
 *
 * @returns True when the buffer is full, false when the stream ended before
 * its first byte.
 * @throws {ShimError} DataLoss when the stream ends in the middle.
 */
export async function readFull(
  source: Pick<Duplex, "read">,
  buffer: Uint8Array,
): Promise<boolean> {
  let filled = 0;
  while (filled < buffer.length) {
    const n = await source.read(buffer.subarray(filled));
    if (n === null) {
      if (filled === 0) return false;
      throw new ShimError(
        "DataLoss",
        `Stream ended after ${filled} of ${buffer.length} bytes`,
      );
    }
    filled += n;
  }
  return true;
}

/** Bytes that a direction of a memory pair holds before a write waits. */
const capacity = 256 * 1024;

/** One direction of a memory pair. */
class Channel {
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #ended = false;
  #broken = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#ended || this.#broken) return null;
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
    const chunk = this.#chunks[0]!;
    const n = Math.min(chunk.length, buffer.length);
    buffer.set(chunk.subarray(0, n));
    if (n === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(n);
    this.#buffered -= n;
    this.#wakeWriter?.();
    return n;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#ended || this.#broken) throw closedError();
    if (bytes.length === 0) return;
    this.#chunks.push(bytes.slice());
    this.#buffered += bytes.length;
    this.#wakeReader?.();
    while (this.#buffered > capacity) {
      await new Promise<void>((resolve) => this.#wakeWriter = resolve);
      if (this.#ended || this.#broken) throw closedError();
    }
  }

  /** No more bytes come; what is buffered can still be read. */
  end(): void {
    this.#ended = true;
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  /** The reader is gone. */
  break(): void {
    this.#broken = true;
    this.#chunks = [];
    this.#buffered = 0;
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }
}

function end(incoming: Channel, outgoing: Channel): Duplex {
  return {
    read: (buffer) => incoming.read(buffer),
    write: (bytes) => outgoing.write(bytes),
    closeWrite: () => Promise.resolve(outgoing.end()),
    close: () => {
      outgoing.end();
      incoming.break();
      return Promise.resolve();
    },
  };
}

/**
 * Two connected streams in memory: what one end writes, the other reads.
 *
 * @example Half-close
 * ```ts
 * import { memoryPair } from "./duplex.ts";
 * const [a, b] = memoryPair();
 * await a.write(new TextEncoder().encode("hi"));
 * await a.closeWrite();
 * const buffer = new Uint8Array(8);
 * console.assert(await b.read(buffer) === 2);
 * console.assert(await b.read(buffer) === null);
 * ```
 */
export function memoryPair(): [Duplex, Duplex] {
  const there = new Channel();
  const back = new Channel();
  return [end(back, there), end(there, back)];
}

/** The half of `Deno.Conn` that {@linkcode connDuplex} needs. */
export interface ByteConn {
  /** Reads some bytes; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some bytes; resolves with how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Shuts the sending direction down. */
  closeWrite(): Promise<void>;
  /** Closes; throws on a second call. */
  close(): void;
}

/** Errors with which a socket says that it is closed, by whichever side. */
function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted;
}

/**
 * Adapts a `Deno.Conn`: whole writes, idempotent closes, a close ends a pending
 * read with null. Takes ownership of the connection.
 */
export function connDuplex(conn: ByteConn): Duplex {
  let closed = false;
  let writeClosed = false;
  return {
    async read(buffer) {
      if (closed) return null;
      try {
        return await conn.read(buffer);
      } catch (error) {
        if (closed || isClosed(error)) return null;
        throw error;
      }
    },
    async write(bytes) {
      if (closed || writeClosed) throw closedError("connection");
      try {
        for (let sent = 0; sent < bytes.length;) {
          sent += await conn.write(bytes.subarray(sent));
        }
      } catch (error) {
        if (closed) throw closedError("connection");
        throw isClosed(error) ? closedError("connection", error) : error;
      }
    },
    async closeWrite() {
      if (closed || writeClosed) return;
      writeClosed = true;
      try {
        await conn.closeWrite();
      } catch (error) {
        if (!closed && !isClosed(error)) throw error;
      }
    },
    close() {
      if (!closed) {
        closed = true;
        conn.close();
      }
      return Promise.resolve();
    },
  };
}

/** The half of `Deno.Listener` that {@linkcode listenerDuplex} needs. */
export interface ConnListener {
  /** The next connection; rejects once closed. */
  accept(): Promise<ByteConn>;
  /** Closes; throws on a second call. */
  close(): void;
}

/** Adapts a `Deno.Listener`. Takes ownership of the listener. */
export function listenerDuplex(listener: ConnListener): DuplexListener {
  let closed = false;
  const refusal = (cause?: unknown): ShimError =>
    new ShimError("Unavailable", "Cannot accept: the listener is closed", {
      cause,
    });
  // One accept of the listener is under way at most: an aborted wait leaves it
  // to the next caller, so that no connection is lost.
  let pending: Promise<ByteConn> | undefined;
  return {
    async accept(signal) {
      if (closed) throw refusal();
      signal?.throwIfAborted();
      pending ??= listener.accept();
      const mine = pending;
      mine.catch(() => {});
      const aborted = Promise.withResolvers<never>();
      aborted.promise.catch(() => {});
      const onAbort = (): void => aborted.reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      try {
        const conn = await Promise.race([mine, aborted.promise]);
        pending = undefined;
        return connDuplex(conn);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        pending = undefined;
        throw closed ? refusal(error) : error;
      } finally {
        signal?.removeEventListener("abort", onAbort);
      }
    },
    close() {
      if (!closed) {
        closed = true;
        listener.close();
        // A connection that nobody waits for any more is not to be leaked.
        pending?.then((conn) => conn.close(), () => {});
      }
      return Promise.resolve();
    },
  };
}
