/**
 * QEMU's machine protocol: JSON lines over a Unix socket.
 *
 * @module
 */

import { type Clock, deadline } from "../../base/clock.ts";
import { connDuplex, type Duplex } from "../../base/duplex.ts";

/** Milliseconds until an answer, and until QEMU listens. */
const limit = 20_000;

/** Milliseconds between attempts to reach QEMU, which tells nobody. */
const interval = 20;

/** The connection to one QEMU. One command at a time. */
export class Monitor {
  readonly #stream: Duplex;
  readonly #clock: Clock;
  #text = "";

  private constructor(stream: Duplex, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  /**
   * Connects as soon as QEMU listens.
   *
   * @throws When it does not within the limit.
   */
  static async open(path: string, clock: Clock): Promise<Monitor> {
    const conn = await deadline(
      clock,
      limit,
      "QEMU's monitor",
      async (signal) => {
        for (;;) {
          try {
            return await Deno.connect({ transport: "unix", path });
          } catch (error) {
            const missing = error instanceof Deno.errors.NotFound ||
              error instanceof Deno.errors.ConnectionRefused;
            if (!missing) throw error;
          }
          await clock.sleep(interval, signal);
        }
      },
    );
    const monitor = new Monitor(connDuplex(conn), clock);
    try {
      await monitor.command("qmp_capabilities");
      return monitor;
    } catch (error) {
      await monitor.close();
      throw error;
    }
  }

  async #line(): Promise<string> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const n = await this.#stream.read(buffer);
      if (n === null) throw new Error("QEMU ended");
      this.#text += new TextDecoder().decode(buffer.subarray(0, n));
    }
  }

  /** Gives a command and waits for its answer; events are skipped. */
  async command(name: string, args: unknown = {}): Promise<unknown> {
    const text = JSON.stringify({ execute: name, arguments: args });
    await this.#stream.write(new TextEncoder().encode(`${text}\n`));
    return await deadline(this.#clock, limit, `QEMU's ${name}`, async () => {
      for (;;) {
        const answer = JSON.parse(await this.#line());
        if ("error" in answer) {
          throw new Error(`QEMU refused ${name}: ${answer.error.desc}`);
        }
        if ("return" in answer) return answer.return;
      }
    });
  }

  /** Ends the connection; the machine goes on. */
  close(): Promise<void> {
    return this.#stream.close();
  }
}
