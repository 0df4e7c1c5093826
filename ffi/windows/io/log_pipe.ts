/**
 * The log pipe: the shim serves it, containerd reads it. Nothing waits for it.
 *
 * @module
 */

import type { Duplex } from "../../../base/duplex.ts";
import type { LogSink } from "../../../base/log.ts";
import { PipeListener } from "./pipe_listener.ts";
import type { WindowsIo } from "./windows_io.ts";

/** Bytes that wait for a slow reader; lines beyond are dropped. */
const maxWaiting = 256 * 1024;

/** The log pipe of a shim, as containerd names it. */
export function logPipeName(namespace: string, id: string): string {
  return `\\\\.\\pipe\\containerd-shim-${namespace}-${id}-log`;
}

/**
 * Serves log lines to whoever connected last. Without a reader they are dropped,
 * and so they are while a reader does not keep up.
 */
export class LogPipe {
  readonly #listener: PipeListener;
  readonly #accepted: Promise<void>;
  readonly #encoder = new TextEncoder();
  #reader: Duplex | undefined;
  /** Lines for the reader, and whether a write is under way. */
  #lines: Uint8Array[] = [];
  #waiting = 0;
  #writing = false;

  private constructor(listener: PipeListener) {
    this.#listener = listener;
    this.#accepted = this.#accept();
  }

  /**
   * Begins to listen.
   *
   * @throws {ShimError} AlreadyExists when somebody else serves the pipe.
   */
  static open(io: WindowsIo, name: string): LogPipe {
    return new LogPipe(PipeListener.open(io, name));
  }

  /** Writes a line. Never blocks and never throws. */
  readonly sink: LogSink = (line) => {
    if (this.#reader === undefined) return false;
    const bytes = this.#encoder.encode(line);
    if (this.#waiting + bytes.length > maxWaiting) return false;
    this.#lines.push(bytes);
    this.#waiting += bytes.length;
    if (!this.#writing) void this.#write(this.#reader);
    return true;
  };

  /** Ends it. */
  async close(): Promise<void> {
    await this.#listener.close();
    await this.#accepted;
    await this.#replace(undefined);
  }

  async #accept(): Promise<void> {
    for (;;) {
      let reader: Duplex;
      try {
        reader = await this.#listener.accept();
      } catch {
        return; // The listener is closed: the shim ends, or cannot listen any more.
      }
      await this.#replace(reader);
    }
  }

  async #replace(reader: Duplex | undefined): Promise<void> {
    const old = this.#reader;
    this.#reader = reader;
    this.#lines = [];
    this.#waiting = 0;
    this.#writing = false;
    await old?.close();
  }

  async #write(reader: Duplex): Promise<void> {
    this.#writing = true;
    try {
      for (;;) {
        const line = this.#lines.shift();
        if (line === undefined) break;
        this.#waiting -= line.length;
        await reader.write(line);
        if (this.#reader !== reader) return;
      }
      this.#writing = false;
    } catch {
      // A log that fails must not fail what it reports on.
      if (this.#reader === reader) await this.#replace(undefined);
    }
  }
}
