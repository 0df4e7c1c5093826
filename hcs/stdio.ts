/**
 * Ports to where the streams of tasks go: pipes, files, programs of the host.
 *
 * @module
 */

import type { Duplex } from "../base/duplex.ts";

/** Which standard stream of a process. */
export type StdioName = "stdin" | "stdout" | "stderr";

/** How a stream of a task is opened. */
export interface StdioOptions {
  /** Ends the attempt to open it. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds for which output is held for a reader that comes back; 0 is for
   * ever. Only named pipes lose their reader: a FIFO stays.
   */
  readonly reconnectLimit?: number;
}

/**
 * The client's side of the streams of one process, for a shim to connect to. The
 * dispose lets all of it go, whatever state it is in.
 */
export interface ServedStdio extends AsyncDisposable {
  /** Where the shim finds them; an empty one is not wanted. */
  readonly addresses: Readonly<Record<StdioName, string>>;
  /** Takes the input; `closeWrite()` ends it, once the shim is there. */
  readonly stdin: Duplex;
  /** Gives the output. */
  readonly stdout: Duplex;
  /** Gives the errors; undefined with a terminal. */
  readonly stderr: Duplex | undefined;
  /**
   * The shim opens nothing any more: the outputs end behind what it has written,
   * and no more input is taken.
   */
  refuse(): Promise<void>;
}

/** Whose output a logging program takes. */
export interface LoggedProcess {
  /** The namespace of containerd. */
  readonly namespace: string;
  /** The container, as containerd calls it. */
  readonly containerId: string;
  /** Empty for the init process. */
  readonly execId: string;
}

/** A program of the host that takes the output of one process. */
export interface LoggingProgram {
  /** Its id. */
  readonly pid: number;
  /**
   * Takes the output. A write waits for the program to read, and rejects when
   * it will not read any more.
   */
  readonly stdout: Duplex;
  /** Takes the errors, in the same way. */
  readonly stderr: Duplex;
  /**
   * Waits until it says that it is ready; called once.
   *
   * @throws {ShimError} Unavailable when it ends before; the signal's reason.
   */
  ready(signal: AbortSignal): Promise<void>;
  /** Its exit code once it has ended, -1 when nobody knows it. Never rejects. */
  readonly exited: Promise<number>;
  /** Ends it at once. One that has ended is left alone. */
  kill(): void;
}
