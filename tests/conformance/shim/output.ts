/**
 * The client's end of a task's output.
 *
 * @module
 */

import { abortable } from "../../../base/clock.ts";
import type { Duplex } from "../../../base/duplex.ts";
import { fdDuplex } from "../../../ffi/linux/fd_stream.ts";
import { close, mkfifo, open, OpenFlag } from "../../../ffi/linux/files.ts";

const { NonBlocking, ReadOnly, ReadWrite } = OpenFlag;

/**
 * Reads a FIFO into memory. Until {@linkcode Output.attached} it outlives its
 * writers; from then on it ends with the last one.
 */
export class Output {
  /** Where the shim writes. */
  readonly path: string;
  readonly #stream: Duplex;
  readonly #watchers = new Set<() => void>();
  #kept: number | undefined;
  #reading: Promise<void> | undefined;
  #ended = false;
  #bytes = 0;
  #text = "";

  /**
   * @param path The FIFO.
   * @param reads Whether it is read at once; else with {@linkcode Output.read}.
   */
  private constructor(path: string, reads: boolean) {
    this.path = path;
    this.#kept = open(path, ReadWrite | NonBlocking);
    this.#stream = fdDuplex(open(path, ReadOnly | NonBlocking), "pipe");
    if (reads) this.read();
  }

  /** Makes a FIFO and reads it, at once or when it is told to. */
  static make(path: string, reads = true): Output {
    mkfifo(path);
    return new Output(path, reads);
  }

  /** Reads a FIFO that another reader has left. */
  static again(path: string): Output {
    return new Output(path, true);
  }

  /** Bytes that have come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What has come, as text; only the first 64 KiB are kept. */
  get text(): string {
    return this.#text;
  }

  /** Reads from now on. */
  read(): void {
    this.#reading ??= this.#read();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    for (;;) {
      const n = await this.#stream.read(buffer);
      this.#ended = n === null;
      this.#bytes += n ?? 0;
      if (this.#text.length < 64 * 1024) {
        this.#text += decoder.decode(buffer.subarray(0, n ?? 0), {
          stream: true,
        });
      }
      for (const watch of this.#watchers) watch();
      if (n === null) return;
    }
  }

  /** The shim has opened its end: the output ends when it closes it. */
  attached(): void {
    if (this.#kept !== undefined) close(this.#kept);
    this.#kept = undefined;
  }

  /**
   * Waits until the text holds something, or the output has ended.
   *
   * @returns The text until then.
   */
  async until(part: string | undefined, signal: AbortSignal): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      const found = part !== undefined && this.#text.includes(part);
      if (found || this.#ended) resolve();
    };
    this.#watchers.add(look);
    look();
    try {
      await abortable(promise, signal);
      return this.#text;
    } finally {
      this.#watchers.delete(look);
    }
  }

  /** Everything, once the shim has closed its end. */
  whole(signal: AbortSignal): Promise<string> {
    return this.until(undefined, signal);
  }

  /** Closes it. */
  async close(): Promise<void> {
    this.attached();
    await this.#stream.close();
    await this.#reading;
  }
}
