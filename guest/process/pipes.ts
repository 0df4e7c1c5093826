/**
 * The pipes between a process and the agent.
 *
 * @module
 */

import type { Duplex } from "../../base/duplex.ts";
import { fdDuplex } from "../../ffi/linux/fd_stream.ts";
import { close, open, OpenFlag, pipe } from "../../ffi/linux/files.ts";
import type { StdioDescriptors } from "../../ffi/linux/spawn.ts";

/** Which standard streams are meant. */
export interface StreamSet {
  /** Input. */
  readonly stdin: boolean;
  /** Output. */
  readonly stdout: boolean;
  /** Errors. */
  readonly stderr: boolean;
}

/** Names of the streams, in the order of their descriptors. */
export const streamNames = ["stdin", "stdout", "stderr"] as const;

/** Name of a stream. */
export type StreamName = (typeof streamNames)[number];

/** The agent's streams to a process. */
export type ProcessStreams = Partial<Record<StreamName, Duplex>>;

/**
 * Pipes of one process. The process's ends are closed once it has them, the
 * agent's become streams when somebody listens.
 */
export class ProcessPipes {
  readonly #child: number[] = [];
  readonly #own = new Map<StreamName, number>();

  /**
   * Makes pipes for the wanted streams; the others are `/dev/null`.
   *
   * @throws {ErrnoError} When there are too many descriptors; none is left open.
   */
  constructor(wanted: StreamSet) {
    try {
      for (const name of streamNames) this.#make(name, wanted[name]);
    } catch (error) {
      this.closeChild();
      this.close();
      throw error;
    }
  }

  #make(name: StreamName, wanted: boolean): void {
    if (!wanted) {
      this.#child.push(open("/dev/null", OpenFlag.ReadWrite));
      return;
    }
    const { read, write } = pipe();
    const [child, own] = name === "stdin" ? [read, write] : [write, read];
    this.#child.push(child);
    this.#own.set(name, own);
  }

  /** Descriptors for the process. */
  get child(): StdioDescriptors {
    const [stdin, stdout, stderr] = this.#child;
    return [stdin!, stdout!, stderr!];
  }

  /** Closes the agent's copies of the process's ends. Idempotent. */
  closeChild(): void {
    for (const fd of this.#child.splice(0)) close(fd);
  }

  /**
   * The agent's ends as streams, owned by the caller. Ends that are not wanted
   * are closed: the process reads nothing, and its writes fail.
   */
  take(wanted: StreamSet): ProcessStreams {
    const streams: ProcessStreams = {};
    for (const [name, fd] of this.#own) {
      if (wanted[name]) streams[name] = fdDuplex(fd, "pipe");
      else close(fd);
    }
    this.#own.clear();
    return streams;
  }

  /** Closes what {@linkcode ProcessPipes.take} has not taken. Idempotent. */
  close(): void {
    this.take({ stdin: false, stdout: false, stderr: false });
  }
}
