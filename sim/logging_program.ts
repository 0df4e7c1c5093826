/**
 * Logging programs on Linux, as containerd's own shims run them: descriptor 3 is
 * the output, 4 the errors, 5 what says that the program is ready.
 *
 * @module
 */

import type { Duplex } from "../base/duplex.ts";
import { silentLogger } from "../base/log.ts";
import { loggingCommand, readiness } from "../base/logging_program.ts";
import type { LoggedProcess, LoggingProgram } from "../hcs/stdio.ts";
import { fdDuplex } from "../ffi/linux/fd_stream.ts";
import { close, open, OpenFlag, pipe } from "../ffi/linux/files.ts";
import { kill } from "../ffi/linux/process.ts";
import { Reaper } from "../ffi/linux/reaper.ts";
import { spawn } from "../ffi/linux/spawn.ts";
import { isEnding } from "./process_identity.ts";

const sigKill = 9;

/**
 * Starts a program, as {@linkcode Platform.startLogger} says.
 *
 * @throws {ErrnoError} When there is no such program, or it may not be run.
 */
export function startLogger(
  url: string,
  { namespace, containerId }: LoggedProcess,
): LoggingProgram {
  const { path, args } = loggingCommand(url, "linux");
  using theirs = new DisposableStack();
  using mine = new DisposableStack();
  const own = (stack: DisposableStack, fd: number): number =>
    stack.adopt(fd, close);
  const toProgram = (): { read: number; write: number } => {
    const { read, write } = pipe();
    return { read: own(theirs, read), write: own(mine, write) };
  };
  const nothing = own(theirs, open("/dev/null", OpenFlag.ReadWrite));
  const stdout = toProgram();
  const stderr = toProgram();
  const wait = pipe();
  own(theirs, wait.write);
  own(mine, wait.read);
  const reaper = new Reaper({ log: silentLogger, orphans: false });
  reaper.start();
  mine.defer(() => reaper.stop());
  const pid = spawn({
    path,
    argv: [path, ...args],
    env: [`CONTAINER_ID=${containerId}`, `CONTAINER_NAMESPACE=${namespace}`],
    stdio: [nothing, nothing, nothing, stdout.read, stderr.read, wait.write],
  });
  mine.move();
  return new LinuxLoggingProgram(pid, path, reaper, {
    stdout: fdDuplex(stdout.write, "pipe"),
    stderr: fdDuplex(stderr.write, "pipe"),
    wait: fdDuplex(wait.read, "pipe"),
  });
}

class LinuxLoggingProgram implements LoggingProgram {
  readonly pid: number;
  readonly stdout: Duplex;
  readonly stderr: Duplex;
  readonly exited: Promise<number>;
  readonly #path: string;
  readonly #wait: Duplex;
  #hasExited = false;

  constructor(
    pid: number,
    path: string,
    reaper: Reaper,
    streams: Readonly<Record<"stdout" | "stderr" | "wait", Duplex>>,
  ) {
    this.pid = pid;
    this.#path = path;
    this.stdout = streams.stdout;
    this.stderr = streams.stderr;
    this.#wait = streams.wait;
    this.exited = new Promise((resolve) =>
      reaper.watch(pid, (code) => {
        this.#hasExited = true;
        reaper.stop();
        resolve(code);
      })
    );
  }

  ready(signal: AbortSignal): Promise<void> {
    const { exited } = this;
    return readiness({
      path: this.#path,
      wait: this.#wait,
      exited,
      isEnding: () => this.#hasExited || isEnding(this.pid),
    }, signal);
  }

  kill(): void {
    if (!this.#hasExited) kill(this.pid, sigKill);
  }
}
