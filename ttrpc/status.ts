/**
 * Error classes as the status of a reply (`google.rpc.Status`) and back.
 *
 * @module
 */

import {
  classify,
  type ErrorCode,
  messageOf,
  ShimError,
} from "../base/errors.ts";
import type { RpcStatus } from "./api/any.gen.ts";
import { ttrpcLimits } from "./limits.ts";

/** Numbers of the classes (`google/rpc/code.proto`); 0 is success. */
export const statusCodes: Readonly<Record<ErrorCode, number>> = {
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  NotImplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
};

const classes: ReadonlyMap<number, ErrorCode> = new Map(
  Object.entries(statusCodes).map(([name, code]) => [code, name as ErrorCode]),
);

/** The class of a number; `Unknown` for numbers without one. */
export function errorCode(code: number): ErrorCode {
  return classes.get(code) ?? "Unknown";
}

function bounded(message: string): string {
  return message.length <= ttrpcLimits.statusMessage
    ? message
    : message.slice(0, ttrpcLimits.statusMessage) + "…";
}

/**
 * Flattens whatever was thrown to a status: the class of the first classified
 * error of its chain, and its message.
 *
 * @param error Anything that was thrown.
 * @returns A status that is never a success.
 */
export function toStatus(error: unknown): RpcStatus {
  return {
    code: statusCodes[classify(error)],
    message: bounded(messageOf(error)),
    details: [],
  };
}

/**
 * The error of a reply.
 *
 * @param status Status of the reply, if it has one.
 * @returns Undefined for a success, an absent status included.
 */
export function fromStatus(
  status: Pick<RpcStatus, "code" | "message"> | undefined,
): ShimError | undefined {
  if (status === undefined || status.code === 0) return undefined;
  const code = errorCode(status.code);
  return new ShimError(code, status.message || code);
}
