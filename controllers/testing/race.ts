/**
 * Lets operations and the answers to their calls race: a scheduler releases one
 * after another, without waiting until what the last one started comes to rest.
 * No model foretells a race; what must hold is that every operation ends, with a
 * class of error that a client can act on, and that nothing is left.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { abortable } from "../../base/clock.ts";
import { classify, messageOf, ShimError } from "../../base/errors.ts";
import { type Answer, answerOf, runPromises } from "./rehearsal.ts";

/** One race. */
export class Race {
  readonly #scheduler: fc.Scheduler;
  readonly #answers: Answer[];
  readonly #open = new Set<string>();
  #operations = 0;
  #isOver = false;

  /**
   * @param scheduler Releases calls and operations.
   * @param answers How the first calls end; all others succeed.
   */
  constructor(scheduler: fc.Scheduler, answers: Iterable<Answer>) {
    this.#scheduler = scheduler;
    this.#answers = [...answers];
  }

  /** Stands in for a call of the world. */
  async call(name: string, signal?: AbortSignal): Promise<void> {
    if (this.#isOver) return;
    const released = this.#scheduler.schedule(Promise.resolve(), name);
    await abortable(released, signal);
    answerOf(this.#answers.shift() ?? "ok");
  }

  /** Begins an operation when the scheduler says so. */
  async begin(name: string, operation: () => unknown): Promise<void> {
    const key = `${name} ${++this.#operations}`;
    this.#open.add(key);
    await this.#scheduler.schedule(Promise.resolve(), key);
    try {
      await operation();
    } catch (error) {
      if (classify(error) === "Unknown") {
        this.#open.add(`${key} fails without a class: ${messageOf(error)}`);
      }
    }
    this.#open.delete(key);
  }

  /** Releases what there is to release. */
  async rest(): Promise<void> {
    do {
      await this.#scheduler.waitIdle();
      await runPromises();
    } while (this.#scheduler.count() > 0);
  }

  /** Runs to the end; `help` is what ends the waits for guest and time. */
  async finish(help: () => unknown): Promise<void> {
    await this.rest();
    for (let round = 0; round < 200 && this.#open.size > 0; round++) {
      await help();
      await this.rest();
    }
    assertEquals([...this.#open], []);
    this.#isOver = true;
  }
}

/** A world in which operations race. */
export interface RaceWorld {
  /** What may happen. */
  readonly operations: Readonly<Record<string, () => unknown>>;
  /** Ends a wait for guest or time. */
  help(): unknown;
  /** Ends everything, and checks that nothing is left. */
  end(): Promise<void>;
}

/** For an operation that must not fail: gives its failure no class. */
export async function neverFails(operation: Promise<unknown>): Promise<void> {
  try {
    await operation;
  } catch (error) {
    throw new TypeError(`It failed: ${messageOf(error)}`);
  }
}

/** The error of a caller that waits no more. */
export const callerLeft: ShimError = new ShimError("Canceled", "nobody waits");

/**
 * Runs random races.
 *
 * @param make Makes a world.
 * @param first What happens in most races.
 * @param names What else may happen, by its name among the operations.
 * @param numRuns How many races.
 */
export async function races(
  make: (race: Race) => RaceWorld,
  first: readonly string[],
  names: readonly string[],
  numRuns: number,
): Promise<void> {
  const answers = fc.array(
    fc.constantFrom<Answer>("ok", "ok", "ok", "ok", "Internal", "Unavailable"),
    { maxLength: 20, size: "max" },
  );
  const others = fc.array(fc.constantFrom(...names), {
    maxLength: 8,
    size: "max",
  });
  await fc.assert(
    fc.asyncProperty(
      fc.subarray([...first], { minLength: 1 }),
      others,
      answers,
      fc.boolean(),
      fc.scheduler(),
      async (begun, others, answers, isInOrder, scheduler) => {
        const race = new Race(scheduler, answers);
        const world = make(race);
        const start = (name: string) =>
          race.begin(name, world.operations[name]!);
        for (const name of begun) {
          start(name);
          if (isInOrder) await race.rest();
        }
        for (const name of others) start(name);
        await race.finish(() => world.help());
        await world.end();
      },
    ),
    { numRuns },
  );
}
