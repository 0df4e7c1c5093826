/**
 * Steps that run side by side and stand or fall together.
 *
 * @module
 */

/** A step; it ends early when its signal aborts. */
export type Step<T> = (signal: AbortSignal) => Promise<T>;

/**
 * Runs steps side by side. The first failure aborts the others; all have settled
 * when this returns.
 *
 * @param signal Aborts all steps.
 * @param steps What to do, started in this order.
 * @returns Their results, in the order of the steps.
 * @throws The first failure.
 */
export async function together<T extends readonly unknown[]>(
  signal: AbortSignal,
  steps: readonly [...{ [K in keyof T]: Step<T[K]> }],
): Promise<T> {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const failures: unknown[] = [];
  const results = await Promise.allSettled(
    steps.map(async (step: Step<unknown>) => {
      try {
        return await step(both);
      } catch (error) {
        failures.push(error);
        failed.abort(error);
        throw error;
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
  return results.map((result) =>
    result.status === "fulfilled" ? result.value : undefined
  ) as unknown as T;
}
