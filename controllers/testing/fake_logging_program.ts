/**
 * A logging program in memory, for tests.
 *
 * @module
 */

import { abortable } from "../../base/clock.ts";
import { type Duplex, memoryPair } from "../../base/duplex.ts";
import type { LoggingProgram } from "../../hcs/stdio.ts";

/** A program that the test controls. By default it is ready, and ends with its streams. */
export class FakeLoggingProgram implements LoggingProgram {
  readonly pid = 77;
  readonly stdout: Duplex;
  readonly stderr: Duplex;
  readonly exited: Promise<number>;
  /** What happened to it, in order: `closed stdout`, `killed`, `exited`. */
  readonly events: string[] = [];
  /** Whether it ends when both of its streams have. */
  endsWithStreams = true;
  /** Whether a kill ends it. */
  canBeKilled = true;
  /** Settles when it is ready, or never will be. */
  whenReady: Promise<void> = Promise.resolve();
  readonly #exit = Promise.withResolvers<number>();
  readonly #ends: Record<"stdout" | "stderr", Duplex>;
  readonly #open = new Set<string>(["stdout", "stderr"]);

  /** A program that was just started. */
  constructor() {
    this.exited = this.#exit.promise;
    const [stdout, out] = memoryPair();
    const [stderr, err] = memoryPair();
    this.stdout = this.#watched("stdout", stdout);
    this.stderr = this.#watched("stderr", stderr);
    this.#ends = { stdout: out, stderr: err };
  }

  #watched(name: "stdout" | "stderr", stream: Duplex): Duplex {
    return {
      ...stream,
      close: async () => {
        if (!this.#open.delete(name)) return;
        this.events.push(`closed ${name}`);
        await stream.close();
        if (this.endsWithStreams && this.#open.size === 0) this.exit(0);
      },
    };
  }

  ready(signal: AbortSignal): Promise<void> {
    return abortable(this.whenReady, signal);
  }

  kill(): void {
    this.events.push("killed");
    if (this.canBeKilled) this.exit(137);
  }

  /** It ends. */
  exit(code: number): void {
    this.events.push("exited");
    this.#exit.resolve(code);
  }

  /** The program's end of a stream. */
  end(name: "stdout" | "stderr"): Duplex {
    return this.#ends[name];
  }
}
