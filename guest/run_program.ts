/**
 * Running programs of the VM that the agent needs.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { close, open, OpenFlag } from "../ffi/linux/files.ts";
import { kill } from "../ffi/linux/process.ts";
import { spawn } from "../ffi/linux/spawn.ts";
import type { Reaper } from "./reaper.ts";
import { findProgram } from "./runtime/detect.ts";

/** What is run. */
export interface ProgramRun {
  /** Waits for its end. */
  readonly reaper: Pick<Reaper, "watch">;
  /** Name, which is looked up on `PATH` of `env`. */
  readonly program: string;
  /** Arguments after the name. */
  readonly args: readonly string[];
  /** Its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Kills it. */
  readonly signal?: AbortSignal;
  /** Calls `start` where the program is to run. */
  readonly within?: (start: () => number) => number;
}

const sigKill = 9;

/** @returns The exit code; only after the program has ended. */
async function exitOf(
  reaper: Pick<Reaper, "watch">,
  pid: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const onAbort = (): void => void kill(pid, sigKill);
  reaper.watch(pid, (code) => {
    // In the turn in which the id ends, so that no other process is killed.
    signal?.removeEventListener("abort", onAbort);
    resolve(code);
  });
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  return await promise;
}

/**
 * Runs a program of the VM to its end, without input and output.
 *
 * @throws {ShimError} FailedPrecondition when the VM does not have it, Internal
 * when it fails; the reason of the signal, after the program has ended.
 */
export async function runProgram(run: ProgramRun): Promise<void> {
  const { reaper, program, args, env, signal } = run;
  const path = await findProgram(program, env.PATH ?? "/sbin:/bin");
  if (path === undefined) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot run ${program}: the VM does not have it`,
    );
  }
  signal?.throwIfAborted();
  const nothing = open("/dev/null", OpenFlag.ReadWrite);
  let pid: number;
  try {
    const start = (): number =>
      spawn({
        path,
        argv: [program, ...args],
        env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
        stdio: [nothing, nothing, nothing],
      });
    pid = run.within === undefined ? start() : run.within(start);
  } finally {
    close(nothing);
  }
  const code = await exitOf(reaper, pid, signal);
  if (code === 0) return;
  signal?.throwIfAborted();
  throw new ShimError(
    "Internal",
    `${program} ${args.join(" ")} ended with code ${code}`,
  );
}
