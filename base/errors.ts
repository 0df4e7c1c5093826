/**
 * The error classes of the whole product. containerd acts on the class, people
 * act on the message: what failed, on which thing, why, what to do.
 *
 * @module
 */

/** Classes of errors, named as containerd's errdefs and gRPC name them. */
export type ErrorCode =
  | "Canceled"
  | "Unknown"
  | "InvalidArgument"
  | "DeadlineExceeded"
  | "NotFound"
  | "AlreadyExists"
  | "PermissionDenied"
  | "ResourceExhausted"
  | "FailedPrecondition"
  | "Aborted"
  | "OutOfRange"
  | "NotImplemented"
  | "Internal"
  | "Unavailable"
  | "DataLoss"
  | "Unauthenticated";

/**
 * An error with a class that a client can act on.
 *
 * @example Throw and classify
 * ```ts
 * import { classify, ShimError } from "./errors.ts";
 * const error = new ShimError("NotFound", 'Container "web" not found');
 * console.assert(classify(new Error("wrapped", { cause: error })) === "NotFound");
 * ```
 */
export class ShimError extends Error {
  /** Name shown in stacks and logs. */
  override readonly name: string = "ShimError";
  /** Class of the error. */
  readonly code: ErrorCode;

  /**
   * An error of one class.
   *
   * @param code Class of the error.
   * @param message One sentence for people, without a trailing period.
   * @param options The error that caused this one, if any.
   */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Classes of the platform's own errors. */
const platformErrors: readonly [
  abstract new (...args: never[]) => Error,
  ErrorCode,
][] = [
  [Deno.errors.AlreadyExists, "AlreadyExists"],
  [Deno.errors.NotFound, "NotFound"],
  [Deno.errors.PermissionDenied, "PermissionDenied"],
  [Deno.errors.NotCapable, "PermissionDenied"],
  [Deno.errors.UnexpectedEof, "OutOfRange"],
  [Deno.errors.BrokenPipe, "FailedPrecondition"],
  [Deno.errors.BadResource, "FailedPrecondition"],
  [Deno.errors.TimedOut, "DeadlineExceeded"],
  [Deno.errors.ConnectionRefused, "Unavailable"],
];

/** How deep a chain of causes is followed; deeper chains are cut. */
const maxDepth = 16;

function ownClass(error: Error): ErrorCode | undefined {
  if (error instanceof ShimError) return error.code;
  if (error.name === "AbortError") return "Canceled";
  if (error.name === "TimeoutError") return "DeadlineExceeded";
  return platformErrors.find(([type]) => error instanceof type)?.[1];
}

/** The errors that stand directly behind `error`, first one first. */
function behind(error: Error): readonly unknown[] {
  if (error instanceof AggregateError) return error.errors;
  if (error instanceof SuppressedError) return [error.suppressed, error.error];
  return error.cause === undefined ? [] : [error.cause];
}

/**
 * Finds the first classified error of a chain: the error itself, then its
 * members (aggregate and suppressed errors) or its cause.
 *
 * @param error Anything that was thrown.
 * @returns Its class; `Unknown` when nothing in the chain has one.
 */
export function classify(error: unknown): ErrorCode {
  const visit = (value: unknown, depth: number): ErrorCode | undefined => {
    if (!(value instanceof Error) || depth > maxDepth) return undefined;
    const own = ownClass(value);
    if (own !== undefined) return own;
    for (const next of behind(value)) {
      const found = visit(next, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return visit(error, 0) ?? "Unknown";
}

/**
 * The text for people: the message of the error, or of the first member of an
 * aggregate, never a stack.
 *
 * @param error Anything that was thrown.
 * @returns One line or a few lines of text, never empty.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError || error instanceof SuppressedError) {
    const [first] = behind(error);
    if (first !== undefined) return messageOf(first);
  }
  return error.message || error.name;
}
