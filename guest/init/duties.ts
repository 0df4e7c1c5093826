/**
 * What the agent does for its machine beside serving the host: the kernel's
 * messages and the clock (`spec/guest-runtime.md` 16.2). Not in a simulated VM,
 * whose kernel and clock are another machine's.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { openKernelLog } from "../../ffi/linux/kernel_log.ts";
import type { Flags } from "../flags.ts";
import type { RunProgram } from "../program.ts";
import { forwardKernelLog } from "./kernel_log.ts";
import { keepTime } from "./time_sync.ts";

/** What the duties need. */
export interface DutyOptions {
  /** The agent's command line. */
  readonly flags: Pick<Flags, "kernelLogLevel" | "timeSync">;
  /** The agent's log. */
  readonly log: Logger;
  /** Runs a program to its end. */
  readonly run: RunProgram;
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/**
 * Begins the duties. What fails is logged: containers run without it.
 *
 * @returns Ends them.
 */
export function beginDuties({ flags, log, run }: DutyOptions): () => void {
  const stop = new AbortController();
  try {
    const source = openKernelLog();
    stop.signal.addEventListener("abort", () => source.close());
    void forwardKernelLog(source, flags.kernelLogLevel, log);
  } catch (error) {
    log.warn("Cannot forward the kernel's log", { error: messageOf(error) });
  }
  if (flags.timeSync) {
    const ports = {
      namesIn,
      readText: (path: string) => Deno.readTextFile(path),
      writeText: (path: string, text: string) => Deno.writeTextFile(path, text),
      run,
      clock: systemClock,
      log,
    };
    keepTime(ports, stop.signal).catch((error) =>
      log.warn("The clock is not kept", { error: messageOf(error) })
    );
  }
  return () => stop.abort();
}
