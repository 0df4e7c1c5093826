/**
 * What is told of a process.
 *
 * @module
 */

import type { StdioPaths } from "./stdio.ts";

/** Exit code of a process that has not ended. */
export const notExited = 255;

/**
 * Exit code of a process whose end nobody has seen: containerd's
 * `UnknownExitStatus`.
 */
export const unknownExit = 255;

/** How a process ended. */
export interface ExitStatus {
  /** Exit code, unsigned; 128 + signal; {@linkcode unknownExit} when it was lost. */
  readonly code: number;
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** True when nobody has seen its end; the code says nothing then. */
  readonly isLost?: boolean;
}

/** Everything that is known about a process. */
export interface ProcessStatus {
  /** Its container. */
  readonly containerId: string;
  /** Empty for init. */
  readonly execId: string;
  /** Its id in the VM; 0 before it runs. */
  readonly pid: number;
  /** Its state, as containerd calls it. */
  readonly status: "CREATED" | "RUNNING" | "STOPPED" | "UNKNOWN";
  /** Its container's bundle; empty before it is created. */
  readonly bundle: string;
  /** The client's streams; empty before it is created. */
  readonly stdio: StdioPaths;
  /** Exit code, unsigned; {@linkcode notExited} before its end. */
  readonly exitCode: number;
  /** When it ended, in milliseconds since 1970. */
  readonly exitedAt?: number;
}

/** What containerd calls the states. */
export const statusOf = {
  NotCreated: "UNKNOWN",
  Created: "CREATED",
  Running: "RUNNING",
  Terminated: "STOPPED",
} as const;
