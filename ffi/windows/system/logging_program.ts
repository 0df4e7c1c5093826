/**
 * Logging programs on Windows, as hcsshim runs them: named pipes that are served
 * for them carry the output, the errors, and what says that they are ready.
 *
 * @module
 */

import type { Duplex } from "../../../base/duplex.ts";
import { classify, messageOf, ShimError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";
import {
  type LoggingCommand,
  loggingCommand,
  readiness,
} from "../../../base/logging_program.ts";
import type { ServedStream } from "../../../base/served_stream.ts";
import type { LoggedProcess, LoggingProgram } from "../../../hcs/stdio.ts";
import { pipePrefix } from "../io/pipe.ts";
import { servePipe } from "../io/served_pipe.ts";
import type { WindowsIo } from "../io/windows_io.ts";
import type { Kernel32Symbols } from "../library/kernel32.ts";

/** `PROCESS_QUERY_LIMITED_INFORMATION`. */
const queryLimited = 0x1000;

/** `STILL_ACTIVE`. */
const stillActive = 259;

/** A program that was started. */
export interface StartedProgram {
  /** Its id. */
  readonly pid: number;
  /** Its exit code. Never rejects. */
  readonly exited: Promise<number>;
  /** True once it has begun to end, which is before its handles are closed. */
  isEnding(): boolean;
  /** Ends it. One that has ended is left alone. */
  kill(): void;
}

/** What starting a logging program needs. */
export interface LoggingParts {
  /** Serves the pipes. */
  readonly io: WindowsIo;
  /** Told why a pipe takes no client. */
  readonly log: Logger;
  /** Starts a program with an environment; default is the system's way. */
  readonly start?: (
    command: LoggingCommand,
    env: Readonly<Record<string, string>>,
  ) => StartedProgram;
}

/**
 * The names of the pipes. Several processes of one container may be logged, so
 * that the name of a process that is not the init is part of them.
 */
function pipeName(
  { containerId, execId }: LoggedProcess,
  purpose: string,
): string {
  const id = execId === "" ? containerId : `${containerId}+${execId}`;
  return `${pipePrefix}binary-${id}-${purpose}`;
}

/**
 * Starts a program, as {@linkcode Platform.startLogger} says.
 *
 * @throws {ShimError} AlreadyExists when somebody has its pipes; NotFound when
 * there is no such program.
 */
export async function startLogger(
  parts: LoggingParts,
  url: string,
  process: LoggedProcess,
): Promise<LoggingProgram> {
  const command = loggingCommand(url, "windows");
  await using pipes = new AsyncDisposableStack();
  const names = {
    stdout: pipeName(process, "stdout"),
    stderr: pipeName(process, "stderr"),
    wait: pipeName(process, "wait"),
  };
  const serve = (name: string): ServedStream =>
    pipes.adopt(
      servePipe(parts.io, name, { log: parts.log }),
      (pipe) => pipe.close(),
    );
  const served = {
    stdout: serve(names.stdout),
    stderr: serve(names.stderr),
    wait: serve(names.wait),
  };
  const start = parts.start ?? systemStart(parts.io);
  const program = start(command, {
    CONTAINER_ID: process.containerId,
    CONTAINER_NAMESPACE: process.namespace,
    CONTAINER_STDOUT: names.stdout,
    CONTAINER_STDERR: names.stderr,
    CONTAINER_WAIT: names.wait,
  });
  pipes.move();
  return new WindowsLoggingProgram(command.path, program, served);
}

class WindowsLoggingProgram implements LoggingProgram {
  readonly pid: number;
  readonly stdout: Duplex;
  readonly stderr: Duplex;
  readonly exited: Promise<number>;
  readonly #path: string;
  readonly #program: StartedProgram;
  readonly #wait: ServedStream;

  constructor(
    path: string,
    program: StartedProgram,
    pipes: Readonly<Record<"stdout" | "stderr" | "wait", ServedStream>>,
  ) {
    this.pid = program.pid;
    this.stdout = pipes.stdout;
    this.stderr = pipes.stderr;
    this.#path = path;
    this.#program = program;
    this.#wait = pipes.wait;
    this.exited = this.#end(Object.values(pipes));
  }

  /** Pipes that it has not opened yet are not waited for any more. */
  async #end(pipes: readonly ServedStream[]): Promise<number> {
    const code = await this.#program.exited;
    await Promise.all(pipes.map((pipe) => pipe.refuse()));
    return code;
  }

  ready(signal: AbortSignal): Promise<void> {
    const { exited } = this;
    return readiness({
      path: this.#path,
      wait: this.#wait,
      exited,
      isEnding: () => this.#program.isEnding(),
    }, signal);
  }

  kill(): void {
    this.#program.kill();
  }
}

/**
 * Deno's own way to start a program: its wait needs no thread. Programs of
 * Windows find nothing without `SystemRoot`, which hcsshim passes, too (Go adds it).
 */
function systemStart(io: WindowsIo): NonNullable<LoggingParts["start"]> {
  return ({ path, args }, env) => {
    const root = Deno.env.get("SystemRoot");
    const child = spawnQuiet(path, args, {
      ...env,
      ...(root === undefined ? {} : { SystemRoot: root }),
    });
    let hasExited = false;
    const exited = child.status.then(({ code }) => {
      hasExited = true;
      return code;
    });
    return {
      pid: child.pid,
      exited,
      isEnding: () =>
        hasExited || hasExitCode(io.libraries.kernel32, child.pid),
      kill: () => {
        if (!hasExited) kill(child);
      },
    };
  };
}

function spawnQuiet(
  path: string,
  args: readonly string[],
  env: Record<string, string>,
): Deno.ChildProcess {
  try {
    return new Deno.Command(path, {
      args: [...args],
      env,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  } catch (cause) {
    throw new ShimError(
      classify(cause),
      `Cannot start logging program "${path}": ${messageOf(cause)}`,
      { cause },
    );
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended already.
    if (!(error instanceof TypeError)) throw error;
  }
}

/**
 * Whether a child has an exit code. Windows sets it before it closes the handles
 * of the process, and that before it tells who waits.
 *
 * @param pid A child that Deno has not waited for: nobody else has its id.
 */
export function hasExitCode(
  kernel32: Pick<
    Kernel32Symbols,
    "OpenProcess" | "GetExitCodeProcess" | "CloseHandle"
  >,
  pid: number,
): boolean {
  const handle = kernel32.OpenProcess(queryLimited, 0, pid);
  if (handle === 0n) return true; // it is gone
  try {
    const code = new Uint32Array(1);
    return kernel32.GetExitCodeProcess(handle, code) === 0 ||
      code[0] !== stillActive;
  } finally {
    kernel32.CloseHandle(handle);
  }
}
