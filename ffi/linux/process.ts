/**
 * Processes: start, wait, signal.
 *
 * @module
 */

import { isErrno } from "./errno.ts";
import { check, libc } from "./libc.ts";

const prSetChildSubreaper = 36;

/**
 * Makes this process the parent of its descendants' orphans, so that it can
 * wait for processes that a container runtime left running.
 */
export function becomeSubreaper(): void {
  const result = libc().prctl(prSetChildSubreaper, 1n, 0n, 0n, 0n);
  check(result, "Cannot become the reaper of orphans");
}

/** How a child ended. */
export interface ChildExit {
  /** The child. */
  readonly pid: number;
  /** Exit code, or 128 + the signal that ended it. */
  readonly code: number;
}

const wnohang = 1;

/**
 * Takes the exit of a child, without waiting.
 *
 * @param pid One child, or -1 for any.
 * @returns The exit, `"running"`, or `"unknown"` when there is no such child.
 */
export function reap(pid: number): ChildExit | "running" | "unknown" {
  const status = new Int32Array(1);
  const result = libc().waitpid(pid, status, wnohang);
  if (result === 0) return "running";
  if (result < 0) {
    try {
      check(result, `Cannot wait for process ${pid}`);
    } catch (error) {
      if (isErrno(error, "ECHILD")) return "unknown";
      throw error;
    }
  }
  return { pid: result, code: exitCode(status[0]!) };
}

/** The exit code of a shell for a status of waitpid(2). */
function exitCode(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

/**
 * Sends a signal; 0 only asks whether the process exists.
 *
 * @returns False when there is no such process.
 * @throws {ErrnoError} EPERM, EINVAL for an unknown signal.
 */
export function kill(pid: number, signal: number): boolean {
  const result = libc().kill(pid, signal);
  if (result === 0) return true;
  try {
    check(result, `Cannot send signal ${signal} to process ${pid}`);
    return true;
  } catch (error) {
    if (isErrno(error, "ESRCH")) return false;
    throw error;
  }
}

/** `LINUX_REBOOT_CMD_POWER_OFF`. */
const powerOffCommand = 0x4321fedc;

/**
 * Switches the machine off, without a shutdown of anything.
 *
 * @throws {ErrnoError} EPERM.
 */
export function powerOff(): void {
  check(libc().reboot(powerOffCommand), "Cannot power off");
}
