/**
 * Copies the streams of a running process between guest and client.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { pump } from "../../base/pump.ts";
import type { Timeouts } from "../../base/timeouts.ts";
import type { GuestProcess } from "../../bridge/guest.ts";
import type { Upstream } from "./stdio.ts";

/** Bytes per read of output that nobody takes. */
const discardBytes = 64 * 1024;

/** What a relay needs beside the streams. */
export interface RelayOptions {
  /** Where it tells why a stream ended early. */
  readonly log: Logger;
  /** Source of time. */
  readonly clock: Clock;
  /** `drainGrace` and `drainLimit`. */
  readonly timeouts: Pick<Timeouts, "drainGrace" | "drainLimit">;
}

/** The copies of one process; they start at once. */
export class StdioRelay {
  readonly #options: RelayOptions;
  readonly #outputs: Promise<unknown>;
  /** Counts portions of output, to see whether it moves. */
  #moved = 0;
  /** When the last one moved. */
  #movedAt: number;
  /** Clients' streams that are being written to. */
  readonly #writing = new Set<Duplex>();
  #hurries = false;

  /**
   * @param process The process in the guest.
   * @param upstream The streams of the client.
   * @param options What else it needs.
   */
  constructor(
    process: GuestProcess,
    upstream: Upstream,
    options: RelayOptions,
  ) {
    this.#options = options;
    this.#movedAt = options.clock.now();
    this.#outputs = Promise.all([
      this.#output("stdout", process.stdout, upstream.stdout),
      this.#output("stderr", process.stderr, upstream.stderr),
    ]);
    this.#input(process, upstream.stdin);
  }

  /**
   * After the process has exited: waits until its output has reached the client.
   * Ends early when the guest gives nothing for `drainGrace` (a grandchild holds
   * the stream), when the client has taken nothing for `drainLimit`, be it before
   * the exit, and `drainLimit` after the exit in any case.
   */
  async drained(): Promise<void> {
    const { clock, log, timeouts } = this.#options;
    const end = clock.now() + timeouts.drainLimit;
    for (;;) {
      const before = this.#moved;
      if (await this.#outputsEndWithin(timeouts.drainGrace)) return;
      if (clock.now() >= end) break;
      const stands = this.#moved === before;
      const isStuck = clock.now() - this.#movedAt >= timeouts.drainLimit;
      if (stands && (this.#writing.size === 0 || isStuck)) break;
    }
    log.debug("Output of an exited process is cut off: it does not end");
  }

  /**
   * The process has been killed, or is lost: from now on a client that takes
   * nothing for `drainGrace` gets no more. A guest tells the exit only after it has handed
   * over all output, and would wait for that client.
   *
   * @returns When the outputs have ended. Never rejects.
   */
  async hurry(): Promise<void> {
    if (this.#hurries) return;
    this.#hurries = true;
    for (;;) {
      const before = this.#moved;
      if (await this.#outputsEndWithin(this.#options.timeouts.drainGrace)) {
        return;
      }
      if (this.#moved !== before) continue;
      for (const sink of this.#writing) {
        try {
          await sink.close();
        } catch (error) {
          this.#tell("output", "close", error);
        }
      }
    }
  }

  async #outputsEndWithin(ms: number): Promise<boolean> {
    const timer = new AbortController();
    const expired = this.#options.clock.sleep(ms, timer.signal)
      .then(() => false, () => true); // aborted: the outputs have ended
    const ended = this.#outputs.then(() => true);
    try {
      return await Promise.race([ended, expired]);
    } finally {
      timer.abort();
      await expired;
    }
  }

  /** The end of the client's input is the end of the process's. */
  async #input(
    process: GuestProcess,
    source: Duplex | undefined,
  ): Promise<void> {
    if (source === undefined || process.stdin === undefined) return;
    const { ended, error } = await pump(source, process.stdin);
    if (error !== undefined) this.#tell("stdin", ended, error);
    try {
      await process.closeStdin();
    } catch (error) {
      this.#tell("stdin", "close", error);
    }
  }

  #move(): void {
    this.#moved++;
    this.#movedAt = this.#options.clock.now();
  }

  /** A client that takes no more must not stop the process. */
  async #output(
    name: string,
    source: Duplex | undefined,
    sink: Duplex | undefined,
  ): Promise<void> {
    if (source === undefined || sink === undefined) return;
    const { bytes, ended, error } = await pump(source, {
      write: async (bytes) => {
        this.#move();
        this.#writing.add(sink);
        try {
          await sink.write(bytes);
        } finally {
          this.#writing.delete(sink);
          this.#move();
        }
      },
    });
    this.#options.log.debug("Output ended", { stream: name, bytes, ended });
    if (error !== undefined) this.#tell(name, ended, error);
    if (ended === "sink-failed") await this.#discard(source);
    try {
      // The guest tells the exit only after we have closed what it has ended.
      await source.close();
    } catch (error) {
      this.#tell(name, "close", error);
    }
  }

  async #discard(source: Duplex): Promise<void> {
    const buffer = new Uint8Array(discardBytes);
    try {
      while (await source.read(buffer) !== null);
    } catch (error) {
      this.#options.log.debug("Output ended", { error: messageOf(error) });
    }
  }

  #tell(stream: string, why: string, error: unknown): void {
    this.#options.log.debug("A stream of a process ended early", {
      stream,
      why,
      error: messageOf(error),
    });
  }
}
