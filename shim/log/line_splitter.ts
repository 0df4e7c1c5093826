/**
 * Cuts bytes into lines.
 *
 * @module
 */

/** Takes bytes in portions and gives the lines that are complete. */
export class LineSplitter {
  readonly #limit: number;
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** @param limit Characters of a line; longer ones are cut. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a portion. @returns The lines that it completes, without empty ones. */
  *push(portion: Uint8Array): Generator<string> {
    const [first = "", ...more] = this.#decoder
      .decode(portion, { stream: true }).split("\n");
    this.#rest += first;
    for (const next of more) {
      yield* this.#take();
      this.#rest = next;
    }
    if (this.#rest.length >= this.#limit) yield* this.#take();
  }

  /** What is left at the end. */
  *end(): Generator<string> {
    this.#rest += this.#decoder.decode();
    yield* this.#take();
  }

  *#take(): Generator<string> {
    const line = this.#rest;
    this.#rest = "";
    if (line !== "") yield line;
  }
}
