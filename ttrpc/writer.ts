/**
 * The sending half of a connection: one writer serialises the frames of all
 * calls, and nobody who reads ever waits for it.
 *
 * @module
 */

import type { Duplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { ttrpcLimits } from "./limits.ts";

/** Told once what became of a frame; without an error it has been written. */
export type Sent = (error?: unknown) => void;

interface Outgoing {
  readonly frame: Uint8Array;
  readonly sent: Sent | undefined;
}

/** Bounds of a {@linkcode FrameWriter}. */
export interface FrameWriterLimits {
  /** Frames that may wait. */
  readonly unsentFrames: number;
  /** Bytes that may wait. */
  readonly unsentBytes: number;
}

/**
 * Writes whole frames in the order in which they came, one write per frame.
 *
 * Frames wait for a peer that reads slowly, within bounds: a peer that does not
 * read at all must not exhaust the memory, so beyond them the writer fails.
 */
export class FrameWriter {
  readonly #stream: Pick<Duplex, "write">;
  readonly #limits: FrameWriterLimits;
  readonly #onFailure: (error: unknown) => void;
  #queue: Outgoing[] = [];
  #frames = 0;
  #bytes = 0;
  #running = false;
  #failure: { readonly error: unknown } | undefined;
  #waitingForIdle: (() => void)[] = [];

  /**
   * @param stream Where frames go; nobody else may write to it.
   * @param onFailure Called once when the peer can no longer be written to; not
   * after {@linkcode FrameWriter.stop}.
   * @param limits Bounds of what may wait.
   */
  constructor(
    stream: Pick<Duplex, "write">,
    onFailure: (error: unknown) => void,
    limits: FrameWriterLimits = ttrpcLimits,
  ) {
    this.#stream = stream;
    this.#onFailure = onFailure;
    this.#limits = limits;
  }

  /** Frames that have not been accepted by the stream yet. */
  get unsent(): number {
    return this.#frames;
  }

  /**
   * Adds a frame; never waits.
   *
   * @param frame Header and data; the writer's from now on.
   * @param sent Called once, later or at once, when the frame's fate is known.
   */
  push(frame: Uint8Array, sent?: Sent): void {
    if (this.#failure !== undefined) {
      sent?.(this.#failure.error);
      return;
    }
    this.#queue.push({ frame, sent });
    this.#frames++;
    this.#bytes += frame.length;
    if (
      this.#frames > this.#limits.unsentFrames ||
      this.#bytes > this.#limits.unsentBytes
    ) {
      this.#fail(
        new ShimError(
          "ResourceExhausted",
          `Peer does not read: ${this.#frames} frames (${this.#bytes} bytes) wait for it`,
        ),
      );
    } else if (!this.#running) {
      this.#running = true;
      this.#drain();
    }
  }

  /** Resolves when nothing waits to be written, also because of a failure. */
  idle(): Promise<void> {
    if (this.#frames === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForIdle.push(resolve));
  }

  /** Drops what waits; later frames meet `error`. Idempotent. */
  stop(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    const dropped = this.#queue;
    this.#queue = [];
    for (const { frame, sent } of dropped) this.#settle(frame, sent, error);
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      for (const { frame, sent } of batch) {
        try {
          // A stop during this batch must not let its rest out.
          if (this.#failure !== undefined) throw this.#failure.error;
          await this.#stream.write(frame);
        } catch (error) {
          this.#fail(error);
          this.#settle(frame, sent, error);
          continue;
        }
        this.#settle(frame, sent);
      }
    }
    this.#running = false;
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.stop(error);
    this.#onFailure(error);
  }

  #settle(frame: Uint8Array, sent: Sent | undefined, error?: unknown): void {
    this.#frames--;
    this.#bytes -= frame.length;
    sent?.(error);
    if (this.#frames > 0 || this.#waitingForIdle.length === 0) return;
    const waiting = this.#waitingForIdle;
    this.#waitingForIdle = [];
    for (const resolve of waiting) resolve();
  }
}
