/**
 * How many files processes may have open.
 *
 * @module
 */

import { check, libc } from "./libc.ts";

/** `RLIMIT_NOFILE`, `asm-generic/resource.h`. */
const openFiles = 7;

/** Open files of a process. */
export interface OpenFileLimits {
  /** What holds now; a process may raise it itself. */
  readonly soft: bigint;
  /** Up to this. */
  readonly hard: bigint;
}

/** Limits of this process. */
export function openFileLimits(): OpenFileLimits {
  const limits = new BigUint64Array(2);
  check(libc().getrlimit(openFiles, limits), "Cannot read the limit of files");
  const [soft, hard] = limits;
  return { soft: soft!, hard: hard! };
}

/**
 * Sets the limits of this process, which its children inherit.
 *
 * @throws {ErrnoError} EPERM when the hard limit may not be raised.
 */
export function limitOpenFiles({ soft, hard }: OpenFileLimits): void {
  const result = libc().setrlimit(openFiles, new BigUint64Array([soft, hard]));
  check(result, `Cannot limit open files to ${soft}`);
}

/**
 * What programs start with that do not ask for more: the kernel's own default,
 * and all that select(2) can take.
 */
export const programFiles = 1024n;

/**
 * Starts a program with {@linkcode programFiles}. Deno raises its own limit as
 * far as it can, and programs that close every descriptor that they may have
 * would take seconds over a million of them.
 *
 * @param start Starts it; not asynchronous, because this process has the same
 * limit meanwhile.
 */
export function withProgramLimits<T>(start: () => T): T {
  const { soft, hard } = openFileLimits();
  if (soft <= programFiles) return start();
  limitOpenFiles({ soft: programFiles, hard });
  try {
    return start();
  } finally {
    limitOpenFiles({ soft, hard });
  }
}
