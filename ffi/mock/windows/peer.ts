/**
 * The other side of a pipe or connection, in the hands of a test.
 *
 * @module
 */

import type { FakeChannel } from "./channel.ts";
import { Operation } from "./operations.ts";
import { NtStatus } from "./status.ts";

/** What a {@linkcode FakePeer} is made of. */
export interface PeerParts {
  /** Carries what the product writes. */
  readonly incoming: FakeChannel;
  /** Carries what the product reads. */
  readonly outgoing: FakeChannel;
  /** Closes this side. */
  readonly close: () => void;
}

/** Somebody who talks to the product: without handles, memory or a port. */
export class FakePeer {
  readonly #parts: PeerParts;
  readonly #decoder = new TextDecoder();

  /** @param parts Its two directions. */
  constructor(parts: PeerParts) {
    this.#parts = parts;
  }

  /** True when the product has ended its direction, and everything is read. */
  get ended(): boolean {
    return this.#parts.incoming.ended;
  }

  /** True while the product waits for bytes. */
  get awaited(): boolean {
    return this.#parts.outgoing.wanted;
  }

  /**
   * Writes to the product.
   *
   * @returns The status: success, pending while there is no room, or a failure.
   */
  write(data: string | Uint8Array): number {
    const bytes = typeof data === "string"
      ? new TextEncoder().encode(data)
      : data;
    return this.#parts.outgoing.write(new Operation(bytes, () => {}));
  }

  /** Takes what has come from the product. @param limit Bytes at most. */
  take(limit = Number.MAX_SAFE_INTEGER): Uint8Array<ArrayBuffer> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    while (this.#parts.incoming.held > 0 && size < limit) {
      const want = Math.min(limit - size, this.#parts.incoming.held);
      let count = 0;
      const bytes = new Uint8Array(want);
      this.#parts.incoming.read(
        new Operation(bytes, (_status, got) => count = got),
      );
      chunks.push(bytes.subarray(0, count));
      size += count;
    }
    const all = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /** The same as text. */
  text(): string {
    return this.#decoder.decode(this.take());
  }

  /** Ends this direction of a connection, not the other one. */
  endWrite(): void {
    this.#parts.outgoing.end(NtStatus.Success);
  }

  /** Resets the connection: what was not read is lost. */
  reset(): void {
    const { ConnectionReset } = NtStatus;
    this.#parts.outgoing.end(ConnectionReset, true);
    this.#parts.incoming.break(ConnectionReset, ConnectionReset);
  }

  /** Closes this side; what it has written can still be read. Idempotent. */
  close(): void {
    this.#parts.close();
  }
}
