/**
 * The dials of guests, each connected to a TCP port of the loopback address.
 *
 * @module
 */

import {
  connDuplex,
  type Duplex,
  type DuplexListener,
} from "../../base/duplex.ts";
import { splice } from "./splice.ts";

/** Connects to a port of the loopback address. */
export async function dialLoopback(port: number): Promise<Duplex> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay();
  return connDuplex(conn);
}

/** Ends what a listener gets; the connections that it got stay. */
export type StopDials = () => Promise<void>;

/** Connects the dials of guests. */
export class GuestDials implements AsyncDisposable {
  readonly #report: (error: unknown) => void;
  /** Guests' ends of the connections, until both directions have ended. */
  readonly #connections = new Map<Duplex, Promise<void>>();

  /** @param report Gets what cannot be told to a caller. */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /**
   * Connects every dial that a listener gets.
   *
   * @param listener Taken over.
   */
  serve(listener: DuplexListener, port: number): StopDials {
    const stop = new AbortController();
    const accepting = this.#accept(listener, port, stop.signal)
      .catch((error) => this.#report(error));
    return async () => {
      stop.abort();
      await accepting;
      await listener.close();
    };
  }

  async #accept(
    listener: DuplexListener,
    port: number,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      let guest: Duplex;
      try {
        guest = await listener.accept(signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      const connection = this.#connect(guest, port)
        .catch((error) => this.#report(error))
        .finally(() => this.#connections.delete(guest));
      this.#connections.set(guest, connection);
    }
  }

  async #connect(guest: Duplex, port: number): Promise<void> {
    try {
      await splice(guest, await dialLoopback(port));
    } catch (error) {
      await guest.close();
      // Whoever listened has just stopped; the guest has learnt it.
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
  }

  /** Ends all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    const connections = [...this.#connections];
    await Promise.all(connections.map(([guest]) => guest.close()));
    await Promise.all(connections.map(([, connection]) => connection));
  }
}
