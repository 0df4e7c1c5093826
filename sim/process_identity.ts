/**
 * Processes by pid and start time: a pid alone may belong to another process by
 * the time it is read.
 *
 * @module
 */

import { isErrno } from "../ffi/linux/errno.ts";

/** One process, whatever its pid means later. */
export interface ProcessIdentity {
  /** Its pid in this pid namespace. */
  readonly pid: number;
  /** Clock ticks between boot and its start, as `/proc/<pid>/stat` has them. */
  readonly startTime: string;
}

/** The fields of `/proc/<pid>/stat` from the state on; proc(5). */
async function statFields(pid: number): Promise<string[] | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(`/proc/${pid}/stat`);
  } catch (error) {
    // ESRCH: it ended between open and read.
    if (isErrno(error, "ENOENT", "ESRCH")) return undefined;
    throw error;
  }
  // The name stands in parentheses and may hold anything.
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** The process with this pid, or undefined when it is none or ended. */
export async function identify(
  pid: number,
): Promise<ProcessIdentity | undefined> {
  const fields = await statFields(pid);
  const [state, startTime] = [fields?.[0], fields?.[19]];
  if (state === undefined || startTime === undefined) return undefined;
  return state === "Z" || state === "X" ? undefined : { pid, startTime };
}

/** `PF_EXITING` of `linux/sched.h`. */
const exiting = 4;

/**
 * True once a process has begun to end. The kernel says so before it closes the
 * descriptors of the process, and these before its parent can wait for it.
 *
 * @param pid A child that was not waited for when the question was asked.
 */
export async function isEnding(pid: number): Promise<boolean> {
  const fields = await statFields(pid);
  return fields === undefined || (Number(fields[6]) & exiting) !== 0;
}

/** True while this very process runs. */
export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  const now = await identify(process.pid);
  return now?.startTime === process.startTime;
}

/** Kills this very process; false when it has ended. */
export async function killProcess(process: ProcessIdentity): Promise<boolean> {
  if (!await isAlive(process)) return false;
  try {
    Deno.kill(process.pid, "SIGKILL");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
