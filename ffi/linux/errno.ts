/**
 * Error numbers of Linux: their names, their meaning and their class.
 *
 * @module
 */

import { type ErrorCode, ShimError } from "../../base/errors.ts";

type Row = readonly [name: string, text: string, code: ErrorCode];

/** `asm-generic/errno-base.h` and `errno.h`, the numbers that our calls meet. */
const rows: Readonly<Record<number, Row>> = {
  1: ["EPERM", "operation not permitted", "PermissionDenied"],
  2: ["ENOENT", "no such file or directory", "NotFound"],
  3: ["ESRCH", "no such process", "NotFound"],
  4: ["EINTR", "interrupted system call", "Aborted"],
  5: ["EIO", "input/output error", "DataLoss"],
  6: ["ENXIO", "no such device or address", "NotFound"],
  9: ["EBADF", "bad file descriptor", "FailedPrecondition"],
  10: ["ECHILD", "no child processes", "NotFound"],
  11: ["EAGAIN", "resource temporarily unavailable", "Unavailable"],
  12: ["ENOMEM", "out of memory", "ResourceExhausted"],
  13: ["EACCES", "permission denied", "PermissionDenied"],
  15: ["ENOTBLK", "block device required", "InvalidArgument"],
  16: ["EBUSY", "device or resource busy", "FailedPrecondition"],
  17: ["EEXIST", "file exists", "AlreadyExists"],
  19: ["ENODEV", "no such device or file system", "NotFound"],
  20: ["ENOTDIR", "not a directory", "InvalidArgument"],
  21: ["EISDIR", "is a directory", "InvalidArgument"],
  22: ["EINVAL", "invalid argument", "InvalidArgument"],
  23: ["ENFILE", "too many open files in the system", "ResourceExhausted"],
  24: ["EMFILE", "too many open files", "ResourceExhausted"],
  26: ["ETXTBSY", "text file busy", "FailedPrecondition"],
  28: ["ENOSPC", "no space left on device", "ResourceExhausted"],
  30: ["EROFS", "read-only file system", "FailedPrecondition"],
  32: ["EPIPE", "broken pipe", "FailedPrecondition"],
  34: ["ERANGE", "numerical result out of range", "OutOfRange"],
  36: ["ENAMETOOLONG", "file name too long", "InvalidArgument"],
  38: ["ENOSYS", "no such system call", "NotImplemented"],
  39: ["ENOTEMPTY", "directory not empty", "FailedPrecondition"],
  40: ["ELOOP", "too many levels of symbolic links", "InvalidArgument"],
  95: ["EOPNOTSUPP", "operation not supported", "NotImplemented"],
  98: ["EADDRINUSE", "address already in use", "AlreadyExists"],
  99: ["EADDRNOTAVAIL", "address not available", "FailedPrecondition"],
  100: ["ENETDOWN", "network is down", "FailedPrecondition"],
  101: ["ENETUNREACH", "network is unreachable", "FailedPrecondition"],
  104: ["ECONNRESET", "connection reset by peer", "Unavailable"],
  107: ["ENOTCONN", "not connected", "FailedPrecondition"],
  110: ["ETIMEDOUT", "timed out", "DeadlineExceeded"],
  111: ["ECONNREFUSED", "connection refused", "Unavailable"],
  113: ["EHOSTUNREACH", "no route to host", "FailedPrecondition"],
  115: ["EINPROGRESS", "operation in progress", "Unavailable"],
  117: ["EUCLEAN", "structure needs cleaning", "DataLoss"],
};

/** A system call that failed. */
export class ErrnoError extends ShimError {
  /** Name shown in stacks and logs. */
  override readonly name = "ErrnoError";
  /** Name of the error number, for example `ENOENT`. */
  readonly errno: string;

  /**
   * @param number The error number.
   * @param what What failed and on which thing; the meaning is appended.
   */
  constructor(number: number, what: string) {
    const [name, text, code] = rows[number] ??
      [`errno ${number}`, "system error", "Unknown"];
    super(code, `${what}: ${text} (${name})`);
    this.errno = name;
  }
}

/** Deno's errors have the number in their text; the name only some of them. */
const numberInText = /\(os error (\d+)\)/;

function nameOf(error: unknown): string | undefined {
  if (error instanceof ErrnoError) return error.errno;
  if (!(error instanceof Error)) return undefined;
  const [, number] = numberInText.exec(error.message) ?? [];
  return rows[Number(number)]?.[0];
}

/**
 * True when the system call failed with one of these error numbers, whether it
 * was ours or Deno's.
 *
 * @param names Names of numbers of the table above.
 */
export function isErrno(error: unknown, ...names: string[]): boolean {
  const name = nameOf(error);
  return name !== undefined && names.includes(name);
}
