/**
 * Processes: start, wait, signal.
 *
 * @module
 */

import { ErrnoError, isErrno } from "./errno.ts";
import { addressOf, check, cString, libc } from "./libc.ts";

const prSetPdeathsig = 1;
const prSetChildSubreaper = 36;

/**
 * Makes this process the parent of its descendants' orphans, so that it can
 * wait for processes that a container runtime left running.
 */
export function becomeSubreaper(): void {
  const result = libc().prctl(prSetChildSubreaper, 1n, 0n, 0n, 0n);
  check(result, "Cannot become the reaper of orphans");
}

/** The kernel sends this process `signal` when its parent dies. */
export function dieWithParent(signal: number): void {
  const result = libc().prctl(prSetPdeathsig, BigInt(signal), 0n, 0n, 0n);
  check(result, "Cannot ask for a signal at the end of the parent");
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

/** What is started and with what. */
export interface SpawnRequest {
  /** Path of the program; PATH is not searched. */
  readonly path: string;
  /** Arguments, the program's own name first. */
  readonly argv: readonly string[];
  /** The whole environment, `NAME=value` each. */
  readonly env: readonly string[];
  /** Descriptors that become 0, 1 and 2; they stay the caller's. */
  readonly stdio: readonly [number, number, number];
}

/** A list of C strings, and the strings themselves, which must stay alive. */
function cStrings(texts: readonly string[]): {
  pointers: BigUint64Array<ArrayBuffer>;
  strings: Uint8Array<ArrayBuffer>[];
} {
  const strings = texts.map(cString);
  const pointers = new BigUint64Array(strings.length + 1);
  strings.forEach((bytes, i) => pointers[i] = addressOf(bytes));
  return { pointers, strings };
}

// Sizes of glibc's opaque types on 64-bit machines, rounded up.
const fileActionsSize = 128;
const attributesSize = 512;
const signalSetSize = 128;

const spawnSetSignalDefault = 0x04;
const spawnSetSignalMask = 0x08;

/**
 * Starts a program in about a millisecond. Signals are as at boot: none is
 * blocked, none is ignored (Deno ignores SIGPIPE, which a container must not
 * inherit). The caller waits for the child with {@linkcode reap}.
 *
 * @returns The child's process id.
 * @throws {ErrnoError} ENOENT when there is no such program, EAGAIN when there
 * are too many processes.
 */
export function spawn(request: SpawnRequest): number {
  const { path, argv, env, stdio } = request;
  const c = libc();
  const args = cStrings(argv);
  const variables = cStrings(env);
  const actions = new Uint8Array(fileActionsSize);
  const attributes = new Uint8Array(attributesSize);
  const expect = (result: number): void => {
    // These functions answer the error number itself.
    if (result !== 0) throw new ErrnoError(result, `Cannot start "${path}"`);
  };
  expect(c.posix_spawn_file_actions_init(actions));
  expect(c.posix_spawnattr_init(attributes));
  try {
    // A source below 3 would be overwritten before it is copied.
    const clash = stdio.some((fd, target) => fd < 3 && fd !== target);
    if (clash) throw new ErrnoError(22, `Cannot start "${path}"`);
    stdio.forEach((fd, target) =>
      expect(c.posix_spawn_file_actions_adddup2(actions, fd, target))
    );
    const none = new Uint8Array(signalSetSize);
    const all = new Uint8Array(signalSetSize);
    all.fill(0xff, 0, 8);
    // 32 and 33 belong to glibc's threads, which refuses to touch them.
    all[3]! &= 0x7f;
    all[4]! &= 0xfe;
    expect(c.posix_spawnattr_setsigmask(attributes, none));
    expect(c.posix_spawnattr_setsigdefault(attributes, all));
    const flags = spawnSetSignalDefault | spawnSetSignalMask;
    expect(c.posix_spawnattr_setflags(attributes, flags));
    const pid = new Int32Array(1);
    const result = c.posix_spawn(
      pid,
      cString(path),
      actions,
      attributes,
      args.pointers,
      variables.pointers,
    );
    expect(result);
    return pid[0]!;
  } finally {
    c.posix_spawnattr_destroy(attributes);
    c.posix_spawn_file_actions_destroy(actions);
  }
}
