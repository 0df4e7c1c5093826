/**
 * Where the agent's log lines go.
 *
 * @module
 */

import type { LogSink } from "../base/log.ts";
import { AsyncQueue } from "../base/queue.ts";

/** Lines that wait for a reader that is too slow; older ones are dropped. */
const capacity = 4096;

/** What takes bytes; `Deno.stderr` and files do. */
export interface ByteSink {
  /** Writes some of the bytes. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Takes lines without ever waiting for their reader. */
export interface LogWriter {
  /** For a logger. */
  readonly sink: LogSink;
  /** Resolves when everything has been written; no more lines are taken. */
  close(): Promise<void>;
}

/** Writes lines to a stream, in the background. A broken stream loses them. */
export function logWriter(stream: ByteSink): LogWriter {
  const queue = new AsyncQueue<string>({ capacity, overflow: "drop-oldest" });
  const encoder = new TextEncoder();
  const write = async (): Promise<void> => {
    for await (const line of queue) {
      const bytes = encoder.encode(line);
      for (let sent = 0; sent < bytes.length;) {
        sent += await stream.write(bytes.subarray(sent));
      }
    }
  };
  // Nobody is left who could be told about a log that cannot be written.
  const done = write().catch(() => queue.close());
  return {
    sink: (line) => void queue.push(line),
    close: () => {
      queue.close();
      return done;
    },
  };
}

/** Lets lines through, or drops them. */
export class LogGate {
  /** Lines are let through. */
  isOpen: boolean;
  readonly #sink: LogSink;

  /**
   * @param sink Where lines go.
   * @param isOpen How it stands at first.
   */
  constructor(sink: LogSink, isOpen: boolean) {
    this.#sink = sink;
    this.isOpen = isOpen;
  }

  /** For a logger. */
  readonly sink: LogSink = (line) => {
    if (this.isOpen) this.#sink(line);
  };
}
