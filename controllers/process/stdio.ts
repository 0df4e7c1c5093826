/**
 * The client's side of the streams of a process.
 *
 * @module
 */

import type { Duplex } from "../../base/duplex.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import { namesLoggingProgram } from "../../base/logging_program.ts";
import type {
  LoggedProcess,
  LoggingProgram,
  StdioName,
} from "../../hcs/stdio.ts";
import { loggerEnded, loggerReady, type LoggingOptions } from "./logging.ts";

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

/** No streams at all. */
export const noStdio: StdioPaths = {
  terminal: false,
  stdin: "",
  stdout: "",
  stderr: "",
};

/** Opens the streams of clients. */
export interface ClientStreams {
  /** Opens one stream. */
  open(url: string, name: StdioName, signal?: AbortSignal): Promise<Duplex>;
  /** Starts a program that takes both outputs of a process. */
  startLogger(url: string, process: ProcessName): Promise<LoggingProgram>;
}

/** The process whose streams are opened. */
export type ProcessName = Pick<LoggedProcess, "containerId" | "execId">;

/** What a client wants, open. */
export type Upstream =
  & Readonly<Partial<Record<StdioName, Duplex>>>
  & {
    /** Takes both outputs. */
    readonly program?: LoggingProgram;
  };

const names: readonly StdioName[] = ["stdin", "stdout", "stderr"];

/**
 * Where the streams of a process really go: a logging program takes both of its
 * outputs, gives it no input and is no terminal, whatever else is asked for. The
 * output alone decides, as with hcsshim.
 */
export function effectivePaths(paths: StdioPaths): StdioPaths {
  const { stdout } = paths;
  if (!namesLoggingProgram(stdout)) return paths;
  return { terminal: false, stdin: "", stdout, stderr: stdout };
}

/**
 * Opens the streams of a client: a logging program, or input, output and errors
 * in this order.
 *
 * @param client Opens them.
 * @param paths As {@linkcode effectivePaths} gives them.
 * @param process Whose they are.
 * @param options For a logging program.
 * @param signal Ends the attempt.
 * @throws {ShimError} FailedPrecondition for a terminal with a path for errors;
 * else what the first stream that cannot be opened says, or why the program is
 * not ready. None stays open.
 */
export async function openUpstream(
  client: ClientStreams,
  paths: StdioPaths,
  process: ProcessName,
  options: LoggingOptions,
  signal?: AbortSignal,
): Promise<Upstream> {
  if (paths.terminal && paths.stderr !== "") {
    throw new ShimError(
      "FailedPrecondition",
      `A process with a terminal has no stderr of its own, but "${paths.stderr}" is given`,
    );
  }
  if (namesLoggingProgram(paths.stdout)) {
    signal?.throwIfAborted();
    const { containerId, execId } = process;
    const name = { containerId, execId };
    const program = await client.startLogger(paths.stdout, name);
    return await readyUpstream(program, options, signal);
  }
  const opened: Partial<Record<StdioName, Duplex>> = {};
  try {
    for (const name of names) {
      if (paths[name] === "") continue;
      opened[name] = await client.open(paths[name], name, signal);
    }
    signal?.throwIfAborted();
    return opened;
  } catch (error) {
    await closeUpstream(opened, options);
    throw error;
  }
}

async function readyUpstream(
  program: LoggingProgram,
  options: LoggingOptions,
  signal: AbortSignal | undefined,
): Promise<Upstream> {
  const { stdout, stderr } = program;
  const upstream = { stdout, stderr, program };
  try {
    await loggerReady(program, options, signal);
    return upstream;
  } catch (error) {
    program.kill();
    await closeUpstream(upstream, options);
    throw error;
  }
}

/**
 * Closes the streams of a client, and ends its logging program: what was written
 * has reached the log then. A failure is logged: the process goes first.
 */
export async function closeUpstream(
  upstream: Upstream,
  options: LoggingOptions,
): Promise<void> {
  for (const name of names) {
    try {
      await upstream[name]?.close();
    } catch (error) {
      options.log.warn("Cannot close a stream of the client", {
        stream: name,
        error: messageOf(error),
      });
    }
  }
  const { program } = upstream;
  if (program !== undefined) await loggerEnded(program, options);
}
