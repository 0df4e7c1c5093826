/**
 * The receiving half of a server stream on the client's side.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

/**
 * Messages of one stream, in order, until its end or its failure. Filling it
 * never waits; what nobody takes is bounded.
 */
export class StreamInbox {
  readonly #capacity: number;
  #messages: Uint8Array[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  /** @param capacity How many messages may wait; one more fails the stream. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Adds a message.
   *
   * @returns False when the inbox was full: the stream has failed.
   */
  push(message: Uint8Array): boolean {
    if (this.#end !== undefined) return false;
    if (this.#messages.length >= this.#capacity) {
      this.finish(
        new ShimError(
          "ResourceExhausted",
          `Stream is full: ${this.#messages.length} messages were not taken`,
        ),
      );
      return false;
    }
    this.#messages.push(message);
    this.#wake?.();
    return true;
  }

  /**
   * Ends the stream behind the messages that wait. The first end counts.
   *
   * @param error Why it failed; absent when it is complete.
   */
  finish(error?: unknown): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake?.();
  }

  /**
   * Takes the next message; one caller at a time.
   *
   * @returns Undefined at the end.
   * @throws What the stream failed with.
   */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#end !== undefined) {
        if ("error" in this.#end) throw this.#end.error;
        return undefined;
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
