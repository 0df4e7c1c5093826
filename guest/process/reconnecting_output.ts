/**
 * Output to the host that survives the loss of its connection: the host dials
 * nothing, so the guest dials again (`spec/guest-protocol.md` 6.5).
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";

/** Bytes that are sent again after a new dial: what a lost socket may have held. */
export const replayBytes = 128 * 1024;

/** The last bytes of a stream. */
export class ReplayBuffer {
  readonly #size: number;
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** @param size How many bytes it keeps. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Adds bytes, which it copies; the oldest ones make room. */
  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes.slice(Math.max(0, bytes.length - this.#size)));
    this.#length += this.#parts.at(-1)!.length;
    while (this.#length > this.#size) {
      const [oldest] = this.#parts as [Uint8Array];
      const surplus = this.#length - this.#size;
      if (oldest.length <= surplus) this.#parts.shift();
      else this.#parts[0] = oldest.subarray(surplus);
      this.#length -= Math.min(oldest.length, surplus);
    }
  }

  /** What it keeps, oldest first. */
  get parts(): readonly Uint8Array[] {
    return this.#parts;
  }
}

/** Kinds of errors after which the host may be there again at another socket. */
const disconnects = [
  Deno.errors.BrokenPipe, // EPIPE
  Deno.errors.ConnectionReset, // ECONNRESET
  Deno.errors.NotConnected, // ENOTCONN
];

/** How deep a chain of causes is followed. */
const maxDepth = 16;

/** True when a write failed because the connection is lost. */
export function isDisconnect(error: unknown): boolean {
  for (let depth = 0; error instanceof Error && depth < maxDepth; depth++) {
    const known = error;
    if (disconnects.some((type) => known instanceof type)) return true;
    error = error.cause;
  }
  return false;
}

/** What a {@linkcode ReconnectingOutput} needs. */
export interface ReconnectOptions {
  /** Dials the host's port again. */
  readonly dial: () => Promise<Duplex>;
  /** Source of time. */
  readonly clock: Clock;
  /** Milliseconds between two dials. */
  readonly pause: number;
  /** Aborts when nobody is to dial any more: the container is being ended. */
  readonly stop: AbortSignal;
  /** Where lost connections are told. */
  readonly log: Logger;
}

/**
 * A stream to the host whose writes go on over a new connection when the old one
 * is lost. The host may see the last {@linkcode replayBytes} twice.
 */
export class ReconnectingOutput implements Duplex {
  readonly #options: ReconnectOptions;
  readonly #sent = new ReplayBuffer(replayBytes);
  /** Aborted by a close. */
  readonly #closed = new AbortController();
  #stream: Duplex;

  /**
   * @param stream The first connection; owned, as all later ones are.
   * @param options How the host is reached again.
   */
  constructor(stream: Duplex, options: ReconnectOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  /** Reads from the connection of now. */
  read(buffer: Uint8Array): Promise<number | null> {
    return this.#stream.read(buffer);
  }

  /**
   * Writes all bytes, over as many connections as it takes.
   *
   * @throws What the write failed with, when the connection is not lost, or when
   * nobody is to dial any more.
   */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#stream.write(bytes);
    } catch (error) {
      if (!isDisconnect(error)) throw error;
      await this.#again(bytes, error);
    }
    this.#sent.append(bytes);
  }

  async #again(bytes: Uint8Array, lost: unknown): Promise<void> {
    const { dial, clock, pause, stop, log } = this.#options;
    const signal = AbortSignal.any([stop, this.#closed.signal]);
    for (let attempt = 0;; attempt++) {
      if (signal.aborted) throw lost;
      if (attempt === 0) {
        log.info("Output is cut off; dialling again", {
          error: messageOf(lost),
        });
      } else await clock.sleep(pause, signal).catch(() => {}); // told above
      if (signal.aborted) throw lost;
      await this.#stream.close();
      try {
        this.#stream = await dial();
        for (const part of this.#sent.parts) await this.#stream.write(part);
        await this.#stream.write(bytes);
        return;
      } catch (error) {
        log.debug("Output cannot be sent yet", { error: messageOf(error) });
      }
    }
  }

  /** Ends the output of the connection of now. */
  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }

  /** Closes the connection of now, and dials no other one. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#stream.close();
  }
}
