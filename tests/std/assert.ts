/**
 * The assertions of `@std/assert` that this project uses, typed, served from
 * npm: JSR is not reachable from build machines. On an open network the import
 * map entry may point at `jsr:@std/assert` instead.
 *
 * @module
 */

import nodeAssert from "node:assert/strict";

/** Error thrown by a failed assertion. */
export const AssertionError: typeof nodeAssert.AssertionError =
  nodeAssert.AssertionError;

/** Fails unless `value` is truthy. */
export function assert(value: unknown, message?: string): asserts value {
  nodeAssert.ok(value, message);
}

/** Fails unless both values are deeply, strictly equal. */
export function assertEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  nodeAssert.deepStrictEqual(actual, expected, message);
}

/** Fails when both values are deeply, strictly equal. */
export function assertNotEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  nodeAssert.notDeepStrictEqual(actual, expected, message);
}

/** Fails unless both values are the same one (`Object.is`). */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  nodeAssert.strictEqual(actual, expected, message);
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  message?: string,
): void {
  nodeAssert.ok(
    actual.includes(expected),
    message ?? `Expected ${JSON.stringify(actual)} to include "${expected}"`,
  );
}

/** Fails unless `actual` matches `expected`. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  message?: string,
): void {
  nodeAssert.match(actual, expected, message);
}

/** Fails unless `actual` is an instance of `expected`. */
export function assertInstanceOf<
  // deno-lint-ignore no-explicit-any -- the type of every constructor
  T extends abstract new (...args: any[]) => any,
>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is InstanceType<T> {
  nodeAssert.ok(
    actual instanceof expected,
    message ?? `Expected an instance of ${expected.name}, got ${actual}`,
  );
}

/** Fails always. */
export function fail(message?: string): never {
  return nodeAssert.fail(message ?? "Failed");
}

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

function expectError<E extends Error>(
  error: unknown,
  errorClass: ErrorClass<E>,
  includes: string,
): E {
  assertInstanceOf(error, errorClass as abstract new () => E);
  assertStringIncludes((error as E).message, includes);
  return error as E;
}

/** Fails unless `fn` throws `errorClass` with `includes` in its message; returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E> = Error as unknown as ErrorClass<E>,
  includes = "",
): E {
  try {
    fn();
  } catch (error) {
    return expectError(error, errorClass, includes);
  }
  return fail(`Expected ${errorClass.name} to be thrown`);
}

/** Fails unless `fn` rejects with `errorClass` and `includes` in its message; returns the error. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E> = Error as unknown as ErrorClass<E>,
  includes = "",
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return expectError(error, errorClass, includes);
  }
  return fail(`Expected a rejection with ${errorClass.name}`);
}
