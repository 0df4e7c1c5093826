/**
 * Streams of a task on Windows: named pipes that containerd or its client serves,
 * or log files.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import { closedError, type Duplex } from "../../../base/duplex.ts";
import { ShimError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";
import { logFilePath, openLogFile } from "../../../base/log_file.ts";
import type { Timeouts } from "../../../base/timeouts.ts";
import type { StdioName, StdioOptions } from "../../../hcs/stdio.ts";
import type { OverlappedStream } from "./overlapped_stream.ts";
import { dialPipe, pipePrefix } from "./pipe.ts";
import { ReconnectingOutput } from "./reconnecting_output.ts";
import type { WindowsIo } from "./windows_io.ts";

/**
 * The pipe that a stream's value names: `\\.\pipe\x`, or `npipe:////./pipe/x` as a
 * URL has it.
 *
 * @throws {ShimError} InvalidArgument when it names none.
 */
export function pipeOf(url: string, stream: string): string {
  // The host of the URL is empty, and its path begins with the two slashes.
  const path = url.replace(/^npipe:(\/\/(?=\/\/))?/i, "")
    .replaceAll("/", "\\");
  if (path.toLowerCase().startsWith(pipePrefix)) return path;
  throw new ShimError(
    "InvalidArgument",
    `Cannot open ${stream} "${url}": expected a named pipe, ${pipePrefix}NAME, or file:///PATH`,
  );
}

/**
 * Input of a process: its `closeWrite()` says that nothing more will be written,
 * as that of a FIFO does.
 */
function input(pipe: OverlappedStream, name: string): Duplex {
  return {
    read: (buffer) => pipe.read(buffer),
    write: () => Promise.reject(closedError(`input pipe "${name}"`)),
    closeWrite: () => Promise.resolve(pipe.endRead()),
    close: () => pipe.close(),
  };
}

/** What streams are opened with. */
export interface StdioParts {
  /** Carries them. */
  readonly io: WindowsIo;
  /** Source of time. */
  readonly clock: Clock;
  /** `pipeBusy` is used. */
  readonly timeouts: Pick<Timeouts, "pipeBusy">;
  /** Told of lost readers. */
  readonly log: Logger;
}

/**
 * Opens a stream. Output survives a restart of its reader, input ends with its
 * writer.
 *
 * @throws {ShimError} InvalidArgument when it is neither a pipe nor a log file.
 * @throws {HResultError} NotFound class when there is no such pipe.
 */
export async function openStdio(
  { io, clock, timeouts, log }: StdioParts,
  url: string,
  stream: StdioName,
  { signal, reconnectLimit = 0 }: StdioOptions = {},
): Promise<Duplex> {
  const file = logFilePath(url, stream, "windows");
  if (file !== undefined) return await openLogFile(file);
  const name = pipeOf(url, stream);
  const dial = (signal?: AbortSignal): Promise<OverlappedStream> =>
    dialPipe(io, name, { clock, busyLimit: timeouts.pipeBusy, signal });
  const pipe = await dial(signal);
  if (stream === "stdin") return input(pipe, name);
  return new ReconnectingOutput(pipe, {
    name,
    dial,
    limit: reconnectLimit,
    clock,
    log,
  });
}
