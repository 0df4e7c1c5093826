/**
 * Tries every operation of a thing in every state of it, for tests.
 *
 * @module
 */

import { classify } from "../../base/errors.ts";

/** Outcomes by state and operation: the next state, or the class of the error. */
export type Sweep = Record<string, Record<string, string>>;

/**
 * Tries every operation in every state, each on a thing of its own.
 *
 * @param reach How a new thing comes into each state.
 * @param operations What can be done to it.
 * @param stateOf Tells the state of a thing.
 * @returns For each pair the state afterwards; with the class of the error in
 * front when the operation failed, for example `Internal: Detached`.
 */
export async function sweep<T>(
  reach: Readonly<Record<string, () => T | Promise<T>>>,
  operations: Readonly<Record<string, (thing: T) => unknown>>,
  stateOf: (thing: T) => string,
): Promise<Sweep> {
  const outcomes: Sweep = {};
  for (const [state, make] of Object.entries(reach)) {
    const row: Record<string, string> = outcomes[state] = {};
    for (const [name, operate] of Object.entries(operations)) {
      const thing = await make();
      if (stateOf(thing) !== state) {
        throw new TypeError(`"${state}" was not reached: ${stateOf(thing)}`);
      }
      let failure = "";
      try {
        await operate(thing);
      } catch (error) {
        failure = `${classify(error)}: `;
      }
      row[name] = failure + stateOf(thing);
    }
  }
  return outcomes;
}
