/**
 * Carries the stdio of a process between its pipes (or terminal) and the
 * streams of the host (`spec/guest-protocol.md` 6).
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { pump } from "../../base/pump.ts";
import { DrainingSource } from "./drain.ts";
import type { ProcessStreams, StreamName } from "./pipes.ts";

/** What a relay needs. */
export interface RelayOptions {
  /** Time. */
  readonly clock: Clock;
  /** Where lost streams are told. */
  readonly log: Logger;
  /** Milliseconds; see {@linkcode DrainingSource}. */
  readonly drainGrace: number;
  /**
   * Milliseconds for which a host may take nothing of the output of a process
   * that has exited; then it gets no more.
   */
  readonly drainLimit: number;
}

/** One direction of output. */
interface Output {
  readonly source: DrainingSource;
  /** Where the host listens; else it is read and dropped. */
  readonly socket: Duplex | undefined;
  readonly done: Promise<void>;
}

/** Relays one process. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #outputs: Output[] = [];
  /** Counts portions that the host took, to see whether output moves. */
  #moved = 0;
  #input: { socket: Duplex; stream: Duplex; done: Promise<void> } | undefined;

  /**
   * Starts at once.
   *
   * @param process Streams of the process; owned. A terminal stands as stdin
   * and stdout.
   * @param host Streams of the host; owned.
   * @param options Time, log and bounds.
   */
  constructor(
    process: ProcessStreams,
    host: ProcessStreams,
    options: RelayOptions,
  ) {
    this.#options = options;
    if (host.stdin !== undefined && process.stdin !== undefined) {
      const { stdin: socket } = host;
      const { stdin: stream } = process;
      const done = this.#carryInput(socket, stream);
      this.#input = { socket, stream, done };
    }
    for (const name of ["stdout", "stderr"] as const) {
      const from = process[name];
      const to = host[name];
      if (from === undefined) {
        // A terminal has no errors of its own.
        to?.close().catch((error) => this.#tell("close", name, error));
        continue;
      }
      const source = new DrainingSource(from, options.clock);
      const done = this.#carry(name, source, to);
      this.#outputs.push({ source, socket: to, done });
    }
  }

  #tell(action: string, stream: StreamName, error: unknown): void {
    const message = messageOf(error);
    this.#options.log.warn(`Cannot ${action} stream`, {
      stream,
      error: message,
    });
  }

  /** Until the host has no more, or the process reads no more. */
  async #carryInput(socket: Duplex, input: Duplex): Promise<void> {
    const result = await pump(socket, input);
    this.#options.log.debug("Input ended", {
      bytes: result.bytes,
      ended: result.ended,
    });
    try {
      // The process sees the end; a terminal has none.
      await input.closeWrite();
      // The host's next write fails instead of waiting for ever.
      if (result.ended !== "source") await socket.close();
    } catch (error) {
      this.#tell("close", "stdin", error);
    }
  }

  async #carry(
    name: StreamName,
    source: DrainingSource,
    socket: Duplex | undefined,
  ): Promise<void> {
    let lost = socket === undefined;
    const sink = {
      // A process must not block, or die, because nobody listens any more.
      write: async (bytes: Uint8Array): Promise<void> => {
        if (lost || socket === undefined) return;
        try {
          await socket.write(bytes);
          this.#moved++;
        } catch (error) {
          lost = true;
          this.#tell("write", name, error);
        }
      },
    };
    const result = await pump(source, sink);
    this.#options.log.debug("Output ended", {
      stream: name,
      bytes: result.bytes,
      ended: result.ended,
    });
    if (result.error !== undefined) this.#tell("read", name, result.error);
    try {
      await source.close();
      if (socket === undefined) return;
      await socket.closeWrite();
      // The host closes when it has everything: the exit comes after the output.
      await ended(socket);
    } catch (error) {
      this.#tell("end", name, error);
    }
    try {
      await socket?.close();
    } catch (error) {
      this.#tell("close", name, error);
    }
  }

  /**
   * The process has ended.
   *
   * @returns When its output has been handed over and all streams are closed.
   */
  async finish(): Promise<void> {
    for (const { source, socket } of this.#outputs) {
      if (socket === undefined) await source.close();
      else source.finish(this.#options.drainGrace);
    }
    await this.#outputsEnd();
    if (this.#input === undefined) return;
    const { socket, stream, done } = this.#input;
    await socket.close();
    // A grandchild that holds the pipe and does not read must not keep us.
    await stream.close();
    await done;
  }

  /** Waits for the outputs, but not for a host that takes nothing any more. */
  async #outputsEnd(): Promise<void> {
    const { clock, drainLimit } = this.#options;
    const ended = Promise.all(this.#outputs.map(({ done }) => done))
      .then(() => true);
    for (;;) {
      const before = this.#moved;
      const timer = new AbortController();
      const expired = clock.sleep(drainLimit, timer.signal)
        .then(() => false, () => true); // aborted: the outputs have ended
      const over = await Promise.race([ended, expired]);
      timer.abort();
      if (over) return;
      if (this.#moved === before) break;
    }
    for (const { socket } of this.#outputs) {
      try {
        await socket?.close();
      } catch (error) {
        this.#options.log.warn("Cannot close a stream that nobody reads", {
          error: messageOf(error),
        });
      }
    }
    await ended;
  }
}

/** Until the other side closes. */
async function ended(socket: Duplex): Promise<void> {
  const rest = new Uint8Array(64);
  while (await socket.read(rest) !== null);
}
