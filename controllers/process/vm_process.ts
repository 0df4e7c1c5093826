/**
 * Processes of the VM itself, outside of containers: for diagnosis.
 *
 * @module
 */

import { abortable, deadline } from "../../base/clock.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import { nullGuid } from "../../base/guid.ts";
import type { ProcessParameters } from "../../bridge/messages.gen.ts";
import { ProcessController, type ProcessDependencies } from "./controller.ts";
import type { StdioPaths } from "./stdio.ts";

/** Where programs of the VM are found (hcsshim). */
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** SIGKILL. */
const sigKill = 9;

/** What to run in the VM. */
export interface VmProcess {
  /** The program and its arguments; not empty. */
  readonly args: readonly string[];
  /** Its working directory; empty for that of the guest. */
  readonly workdir: string;
  /** The client's streams. */
  readonly stdio: StdioPaths;
}

function parametersOf({ args, workdir, stdio }: VmProcess): ProcessParameters {
  return {
    CommandArgs: [...args],
    WorkingDirectory: workdir,
    Environment: { PATH: path },
    EmulateConsole: stdio.terminal,
  };
}

/**
 * Runs a process in the VM to its end; its output has reached the client then.
 *
 * @param deps What it needs.
 * @param request What to run.
 * @param signal Kills the process; the client's streams are closed then.
 * @returns Its exit code; 128 + signal.
 * @throws {ShimError} InvalidArgument without a program; FailedPrecondition for a
 * terminal with a path for errors; Unavailable when its end was not seen; the
 * signal's reason; else why a stream cannot be opened, or what the guest answered.
 */
export async function runInVm(
  deps: ProcessDependencies,
  request: VmProcess,
  signal: AbortSignal,
): Promise<number> {
  if (request.args.length === 0) {
    throw new ShimError("InvalidArgument", "There is no program to run");
  }
  const parameters = parametersOf(request);
  const process = new ProcessController({
    ...deps,
    guest: {
      execute: (id, _, stdio, signal) =>
        deps.guest.execute(id, parameters, stdio, signal),
    },
  }, { containerId: nullGuid, guestContainerId: nullGuid, execId: "" });
  await process.create({ bundle: "", stdio: request.stdio }, signal);
  await process.start(signal);
  try {
    const { code, isLost } = await abortable(process.exited, signal);
    if (!isLost) return code;
  } catch (error) {
    await end(process, deps);
    // Also those of a process that nothing ends; a second close is harmless.
    await process.closeStreams();
    throw error;
  }
  throw new ShimError(
    "Unavailable",
    `The end of process ${process.pid} of the VM was not seen`,
  );
}

/** Kills a process that nobody waits for any more. Never rejects. */
async function end(
  process: ProcessController,
  { clock, timeouts, log }: ProcessDependencies,
): Promise<void> {
  try {
    await process.kill(sigKill);
    await deadline(
      clock,
      timeouts.deleteWait,
      "Its end",
      (signal) => abortable(process.exited, signal),
    );
  } catch (error) {
    log.warn("A process of the VM that nobody waits for does not end", {
      pid: process.pid,
      error: messageOf(error),
    });
  }
}
