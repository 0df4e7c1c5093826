/**
 * Hyper-V sockets in memory, for tests of the controllers.
 *
 * @module
 */

import {
  type Duplex,
  type DuplexListener,
  memoryPair,
} from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import type { GuestSockets } from "../../hcs/ports.ts";
import { CallScript } from "./call_script.ts";

interface Waiting {
  readonly dialled: Duplex[];
  wake: () => void;
}

/** Sockets of one VM; the test dials as the guest does. */
export class FakeSockets implements GuestSockets {
  /** What was called, and what fails: `listen <port>`. */
  readonly script = new CallScript();
  readonly #listeners = new Map<number, Waiting>();
  /** Host ends that were accepted. */
  readonly accepted: Duplex[] = [];

  /** The ports that are being listened on. */
  get ports(): number[] {
    return [...this.#listeners.keys()];
  }

  /** Listens; refuses a port that is in use. */
  async listen(_runtimeId: string, port: number): Promise<DuplexListener> {
    await this.script.play(`listen ${port}`);
    if (this.#listeners.has(port)) {
      throw new ShimError("AlreadyExists", `Port ${port} is in use`);
    }
    const waiting: Waiting = { dialled: [], wake: () => {} };
    this.#listeners.set(port, waiting);
    return {
      accept: (signal) => this.#accept(port, waiting, signal),
      close: () => {
        if (this.#listeners.get(port) === waiting) this.#listeners.delete(port);
        waiting.wake();
        return Promise.resolve();
      },
    };
  }

  async #accept(
    port: number,
    waiting: Waiting,
    signal: AbortSignal | undefined,
  ): Promise<Duplex> {
    for (;;) {
      signal?.throwIfAborted();
      const stream = waiting.dialled.shift();
      if (stream !== undefined) {
        this.accepted.push(stream);
        return stream;
      }
      if (this.#listeners.get(port) !== waiting) {
        throw new ShimError("Unavailable", `Port ${port} is closed`);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      waiting.wake = wake;
      signal?.addEventListener("abort", wake, { once: true });
      await promise;
      signal?.removeEventListener("abort", wake);
    }
  }

  /** The guest dials. @returns The guest's end. */
  dial(port: number): Duplex {
    const waiting = this.#listeners.get(port);
    if (waiting === undefined) {
      throw new ShimError("Unavailable", `Nobody listens on port ${port}`);
    }
    const [host, guest] = memoryPair();
    waiting.dialled.push(host);
    waiting.wake();
    return guest;
  }
}
