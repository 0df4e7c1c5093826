/**
 * The client's side of the streams of a process.
 *
 * @module
 */

import type { Duplex } from "../../base/duplex.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { StdioName } from "../../hcs/ports.ts";

/** Where a client wants the streams; empty means none. */
export interface StdioPaths {
  /** Whether the process gets a terminal. */
  readonly terminal: boolean;
  /** Where its input comes from. */
  readonly stdin: string;
  /** Where its output goes. */
  readonly stdout: string;
  /** Where its errors go; empty with a terminal. */
  readonly stderr: string;
}

/** Opens one stream of a client. */
export type OpenStdio = (
  url: string,
  name: StdioName,
  signal?: AbortSignal,
) => Promise<Duplex>;

/** The streams that a client wants, open. */
export type Upstream = Readonly<Partial<Record<StdioName, Duplex>>>;

const names: readonly StdioName[] = ["stdin", "stdout", "stderr"];

/**
 * Opens the streams of a client, in the order input, output, errors.
 *
 * @throws {ShimError} FailedPrecondition for a terminal with a path for errors;
 * else what the first stream that cannot be opened says. None stays open.
 */
export async function openUpstream(
  open: OpenStdio,
  paths: StdioPaths,
  log: Logger,
  signal?: AbortSignal,
): Promise<Upstream> {
  if (paths.terminal && paths.stderr !== "") {
    throw new ShimError(
      "FailedPrecondition",
      `A process with a terminal has no stderr of its own, but "${paths.stderr}" is given`,
    );
  }
  const opened: Partial<Record<StdioName, Duplex>> = {};
  try {
    for (const name of names) {
      if (paths[name] === "") continue;
      opened[name] = await open(paths[name], name, signal);
    }
    signal?.throwIfAborted();
    return opened;
  } catch (error) {
    await closeUpstream(opened, log);
    throw error;
  }
}

/** Closes the streams of a client. A failure is logged: the process goes first. */
export async function closeUpstream(
  upstream: Upstream,
  log: Logger,
): Promise<void> {
  for (const name of names) {
    try {
      await upstream[name]?.close();
    } catch (error) {
      log.warn("Cannot close a stream of the client", {
        stream: name,
        error: messageOf(error),
      });
    }
  }
}
