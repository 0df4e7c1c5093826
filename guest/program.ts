/**
 * Programs of the VM that the agent itself needs: `cryptsetup`, `mkfs.ext4` and
 * their like.
 *
 * @module
 */

import { type Clock, deadline } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";
import { close, open, OpenFlag } from "../ffi/linux/files.ts";
import { spawn } from "../ffi/linux/spawn.ts";
import type { Reaper } from "../ffi/linux/reaper.ts";
import { findProgram } from "./runtime/detect.ts";

/**
 * Runs a program to its end.
 *
 * @param program Its name; PATH is searched.
 * @param args Its arguments.
 * @param options Where and for how long.
 * @throws {ProgramError} When it fails, with what it wrote.
 * @throws {ShimError} FailedPrecondition when the VM does not have it,
 * DeadlineExceeded when it takes too long.
 */
export type RunProgram = (
  program: string,
  args: readonly string[],
  options?: RunOptions,
) => Promise<void>;

/** Where a program runs, and for how long. */
export interface RunOptions {
  /** Kills it. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that it may take; else what all programs may. */
  readonly timeout?: number;
  /** Calls `start` where the program is to run. Default: here. */
  readonly within?: (start: () => number) => number;
}

/** A program that ended with a code other than 0. */
export class ProgramError extends ShimError {
  /** Name shown in stacks and logs. */
  override readonly name = "ProgramError";
  /** What it wrote, to either output. */
  readonly output: string;

  /** @param output What it wrote; the last line becomes part of the message. */
  constructor(program: string, code: number, output: string) {
    const line = output.trim().split("\n").at(-1) ?? "";
    const reason = line === "" ? "" : `: ${line.slice(0, 500)}`;
    super("Internal", `${program} ended with code ${code}${reason}`);
    this.output = output;
  }
}

/** What running programs needs. */
export interface ProgramOptions {
  /** Waits for them. */
  readonly reaper: Reaper;
  /** kill(2). */
  readonly kill: (pid: number, signal: number) => boolean;
  /** Time. */
  readonly clock: Clock;
  /** Milliseconds that a program may take. */
  readonly timeout: number;
  /** Environment of the programs. */
  readonly env: Readonly<Record<string, string>>;
}

const sigKill = 9;

/** Bytes of output that are kept. */
const maxOutput = 64 * 1024;

/** Runs programs of the VM. */
export function programRunner(options: ProgramOptions): RunProgram {
  const { reaper, kill, clock, env } = options;
  const search = env.PATH ?? "/sbin:/usr/sbin:/bin:/usr/bin";
  return async (program, args, run = {}) => {
    const { signal, timeout = options.timeout, within = (start) => start() } =
      run;
    signal?.throwIfAborted();
    const path = await findProgram(program, search);
    if (path === undefined) {
      throw new ShimError(
        "FailedPrecondition",
        `Cannot run ${program}: the VM does not have it`,
      );
    }
    // A file, not a pipe: a pipe ends only with the last process that has it.
    const log = await Deno.makeTempFile({ prefix: `${program}-` });
    try {
      const pid = within(() => start(path, [program, ...args], env, log));
      const exit = reaper.exit(pid);
      try {
        const code = await deadline(
          clock,
          timeout,
          program,
          () => exit,
          signal,
        );
        if (code !== 0) throw new ProgramError(program, code, await tail(log));
      } catch (error) {
        if (!(error instanceof ProgramError)) kill(pid, sigKill);
        await exit;
        throw error;
      }
    } finally {
      await Deno.remove(log);
    }
  };
}

function start(
  path: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  log: string,
): number {
  const output = open(log, OpenFlag.WriteOnly);
  try {
    const nothing = open("/dev/null", OpenFlag.ReadOnly);
    try {
      return spawn({
        path,
        argv,
        env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
        stdio: [nothing, output, output],
      });
    } finally {
      close(nothing);
    }
  } finally {
    close(output);
  }
}

/** The end of a file as text. */
async function tail(path: string): Promise<string> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  await file.seek(Math.max(0, size - maxOutput), Deno.SeekMode.Start);
  return await new Response(file.readable).text();
}
