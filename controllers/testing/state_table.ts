/**
 * Enumerates a state table, for tests.
 *
 * @module
 */

import { classify } from "../../base/errors.ts";
import type { States } from "../../base/states.ts";

/** One pair of state and event, as it was tried. */
export interface TriedPair {
  /** The state. */
  readonly from: string;
  /** The event. */
  readonly event: string;
  /** Where it led, or the class of the refusal. */
  readonly outcome: string;
}

/** The events that lead from the initial state to another one. */
function pathTo<S extends string, E extends string>(
  { initial, transitions }: States<S, E>,
  goal: S,
): E[] {
  const paths = new Map<S, E[]>([[initial, []]]);
  for (const [state, path] of paths) {
    for (const [from, event, to] of transitions) {
      if (from === state && !paths.has(to)) paths.set(to, [...path, event]);
    }
  }
  const path = paths.get(goal);
  if (path === undefined) throw new TypeError(`"${goal}" cannot be reached`);
  return path;
}

/** Tries every event in every state. */
export function tryAll<S extends string, E extends string>(
  states: States<S, E>,
): TriedPair[] {
  const { initial, transitions } = states;
  const all = new Set<S>([
    initial,
    ...transitions.flatMap(([a, , b]) => [a, b]),
  ]);
  const events = new Set<E>(transitions.map(([, event]) => event));
  const tried: TriedPair[] = [];
  for (const from of all) {
    for (const event of events) {
      const state = states.begin("it");
      for (const step of pathTo(states, from)) state.to(step);
      let outcome: string;
      try {
        state.to(event);
        outcome = state.current;
      } catch (error) {
        outcome = classify(error);
      }
      tried.push({ from, event, outcome });
    }
  }
  return tried;
}

/**
 * The pairs that are allowed, as `state event state` in the order of the
 * alphabet, once it is certain that every other pair is refused with
 * FailedPrecondition.
 *
 * @throws {TypeError} when a pair fails in another way.
 */
export function allowedPairs<S extends string, E extends string>(
  states: States<S, E>,
): string[] {
  const known = new Set<string>(
    states.transitions.flatMap(([from, , to]) => [from, to]),
  );
  return tryAll(states).flatMap(({ from, event, outcome }) => {
    if (known.has(outcome)) return [`${from} ${event} ${outcome}`];
    if (outcome === "FailedPrecondition") return [];
    throw new TypeError(`${from} ${event}: ${outcome}`);
  }).sort();
}
