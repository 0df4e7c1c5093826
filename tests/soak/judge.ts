/**
 * What an operation may come to, and whether it did.
 *
 * @module
 */

import { classify, type ErrorCode, messageOf } from "../../base/errors.ts";
import { deadline, systemClock } from "../../base/clock.ts";
import type { Journal } from "./journal.ts";

/** What an operation came to: success, or a class of error. */
export type Outcome = "ok" | ErrorCode;

/** Bound of one operation, in milliseconds; beyond it something hangs, load or not. */
const operationLimit = 180_000;

/** An operation whose outcome the model does not know. */
export class WrongOutcome extends Error {}

/** The virtual machine is gone; what was to be done in it cannot be done. */
export class VmLost extends Error {}

/** Classes of what is asked of a virtual machine, or a shim, that was killed. */
const afterLoss: readonly Outcome[] = [
  "NotFound",
  "Unavailable",
  "FailedPrecondition",
];

/** Who is asked, as far as the judge must know it. */
export interface Judged {
  /** For the journal. */
  readonly name: string;
  /** Whether its virtual machine or its shim was killed. */
  readonly isLost: boolean;
}

/**
 * Does something and judges what came of it.
 *
 * @param journal Where it is noted.
 * @param on Who is asked.
 * @param name The operation.
 * @param allowed Outcomes that the model allows.
 * @param operation What is done.
 * @returns The value, or the class of an allowed error.
 * @throws {VmLost} When it failed because the machine was killed.
 * @throws {WrongOutcome} For every other outcome, also none within the bound.
 */
export async function judge<T>(
  journal: Journal,
  on: Judged,
  name: string,
  allowed: readonly Outcome[],
  operation: () => Promise<T>,
): Promise<{ value: T } | { code: ErrorCode }> {
  let error: unknown;
  try {
    const value = await deadline(systemClock, operationLimit, name, operation);
    journal.operation(name, on.name, "ok");
    if (allowed.includes("ok")) return { value };
    // A kill of what has ended with its machine is well, whatever the signal.
    if (on.isLost) throw new VmLost(on.name);
    error = new Error("it succeeded");
  } catch (caught) {
    if (caught instanceof WrongOutcome || caught instanceof VmLost) {
      throw caught;
    }
    error = caught;
    const code = classify(caught);
    journal.operation(name, on.name, `${code}: ${messageOf(caught)}`);
    if (allowed.includes(code)) return { code };
    if (on.isLost && afterLoss.includes(code)) throw new VmLost(on.name);
  }
  throw new WrongOutcome(
    `${on.name}: "${name}" came to ${classify(error)} (${messageOf(error)}); ` +
      `the model allows ${allowed.join(", ")}` +
      (on.isLost ? `, and of a lost machine ${afterLoss.join(", ")}` : ""),
    { cause: error },
  );
}

/** Fails unless something is as the model says, or the machine was killed. */
export function expect(
  { name, isLost }: Judged,
  what: string,
  seen: unknown,
  expected: unknown,
): void {
  const [is, should] = [JSON.stringify(seen), JSON.stringify(expected)];
  if (is === should || isLost) return;
  throw new WrongOutcome(`${name}: ${what} is ${is}, not ${should}`);
}

/** Classes by the words with which `ctr` ends; containerd leaves out what fails of metrics. */
const words: readonly [RegExp, ErrorCode][] = [
  [
    /error reading from server|transport is closing|connection (refused|reset)|[Uu]navailable|ttrpc: closed|EOF$|closing|no metrics received/,
    "Unavailable",
  ],
  [/not found|no such file or directory|no running task/, "NotFound"],
  [/already exists/, "AlreadyExists"],
  [/failed precondition|is not running|is stopped/, "FailedPrecondition"],
  [/invalid argument/, "InvalidArgument"],
  [/context canceled/, "Canceled"],
];

/** The class of what `ctr` says on standard error. */
export function classOfText(text: string): ErrorCode {
  const last = text.trim();
  return words.find(([pattern]) => pattern.test(last))?.[1] ?? "Unknown";
}
