/**
 * State machines as tables: the same table is executed by the code, printed as
 * a diagram and enumerated by tests.
 *
 * @module
 */

import { ShimError } from "./errors.ts";

/** One row: from a state, an event leads to a state. */
export type Transition<S extends string, E extends string> = readonly [
  from: S,
  event: E,
  to: S,
];

/** A state machine as data. Make it with {@linkcode defineStates}. */
export interface States<S extends string, E extends string> {
  /** What the machine describes, for example `process`. */
  readonly name: string;
  /** The state in which every new thing is. */
  readonly initial: S;
  /** All rows, in the order in which they were given. */
  readonly transitions: readonly Transition<S, E>[];
  /**
   * A thing in its initial state.
   *
   * @param subject How the thing is called in errors, for example
   * `process "probe" in container "web"`.
   */
  begin(subject: string): State<S, E>;
}

/** The state of one thing. Only {@linkcode State.to} moves it. */
export class State<S extends string, E extends string> {
  readonly #states: States<S, E>;
  readonly #subject: string;
  #current: S;

  /** Use {@linkcode States.begin}. */
  constructor(states: States<S, E>, subject: string) {
    this.#states = states;
    this.#subject = subject;
    this.#current = states.initial;
  }

  /** The state now. */
  get current(): S {
    return this.#current;
  }

  /** True when the thing is in one of the states. */
  is(...states: readonly S[]): boolean {
    return states.includes(this.#current);
  }

  #find(event: E): Transition<S, E> | undefined {
    return this.#states.transitions.find(([from, name]) =>
      from === this.#current && name === event
    );
  }

  /** True when the event is allowed now. */
  can(event: E): boolean {
    return this.#find(event) !== undefined;
  }

  /**
   * Checks that the event is allowed now, without moving.
   *
   * @throws {ShimError} FailedPrecondition naming event, thing and state.
   */
  require(event: E): void {
    if (!this.can(event)) throw this.refusal(event);
  }

  /** The one sentence with which an action is refused in this state. */
  refusal(action: string): ShimError {
    return new ShimError(
      "FailedPrecondition",
      `Cannot ${action} ${this.#subject}: it is ${this.#current}`,
    );
  }

  /**
   * Moves along the row of this event.
   *
   * @throws {ShimError} FailedPrecondition when the table has no such row.
   */
  to(event: E): void {
    const row = this.#find(event);
    if (row === undefined) throw this.refusal(event);
    this.#current = row[2];
  }
}

/**
 * Defines a state machine.
 *
 * @param name What the machine describes.
 * @param initial The first state.
 * @param transitions The rows; a pair of state and event stands at most once.
 *
 * @example A door
 * ```ts
 * import { defineStates } from "./states.ts";
 * const doorStates = defineStates("door", "Closed", [
 *   ["Closed", "open", "Open"],
 *   ["Open", "close", "Closed"],
 * ]);
 * const door = doorStates.begin('door "front"');
 * door.to("open");
 * console.assert(door.current === "Open");
 * ```
 */
export function defineStates<const S extends string, const E extends string>(
  name: string,
  initial: NoInfer<S>,
  transitions: readonly Transition<S, E>[],
): States<S, E> {
  const seen = new Set<string>();
  for (const [from, event] of transitions) {
    const key = `${from} --${event}`;
    if (seen.has(key)) {
      throw new TypeError(`State table "${name}" has "${key}" twice`);
    }
    seen.add(key);
  }
  const states: States<S, E> = {
    name,
    initial,
    transitions,
    begin: (subject) => new State(states, subject),
  };
  return states;
}
