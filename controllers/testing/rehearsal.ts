/**
 * Plays a controller and a model of it side by side, call by call.
 *
 * The model tells every operation as a story: a generator that yields the name
 * of a call and gets its answer, or yields a condition and goes on once it holds.
 * No call of the controller has an effect before the test answers it, in any
 * order. Between two steps both must wait for the same calls, and have given the
 * same answers.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { FakeClock } from "../../base/clock.ts";
import { classify, ShimError } from "../../base/errors.ts";
import { bridgeClosed } from "../../bridge/errors.ts";

/** How a call ends: a success, a refusal, "gone with the VM", or by its caller. */
export type Answer = "ok" | "Internal" | "Unavailable" | "Canceled";

/** A call that its caller can end; the story goes on with "Canceled" then. */
export interface AbortableCall {
  /** The name of the call. */
  readonly call: string;
  /** Whether the caller has ended it. */
  readonly isAborted: () => boolean;
}

/** What a story waits for. */
export type Wait = string | AbortableCall | (() => boolean);

function callOf(wait: Wait | undefined): string | undefined {
  if (typeof wait === "function") return undefined;
  return typeof wait === "object" ? wait.call : wait;
}

/** How an operation goes; it returns "ok" or the class of its error. */
export type Story<T = string> = Generator<Wait, T, Answer>;

/** Runs stories one after another. */
export class StoryQueue {
  #next = 0;
  #turn = 0;

  /** Runs a story, or what takes no time, when all earlier ones are told. */
  *run<T extends string | boolean>(story: () => Story<T> | T): Story<T> {
    const ticket = this.#next++;
    yield () => this.#turn === ticket;
    const told = story();
    const result = typeof told === "object" ? yield* told : told;
    this.#turn++;
    return result;
  }
}

/** An operation in the model and in the controller. */
interface Act {
  readonly name: string;
  readonly story: Story | string;
  /** False for what happens in the controller by itself. */
  isOperation: boolean;
  waits: Wait | undefined;
  foretold: string | undefined;
  answered: string | undefined;
}

/** Does what the answer says. @throws When it is no success. */
export function answerOf(how: Answer): void {
  if (how === "Internal") throw new ShimError("Internal", "injected");
  if (how === "Unavailable") throw bridgeClosed("Injected");
}

/** How many turns a chain of promises may take that waits for nothing else. */
const turns = 150;

/** Lets everything run that waits for nothing but promises. */
export async function runPromises(): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await null;
}

/** A clock whose turning takes no time. */
export function quickClock(): FakeClock {
  return new FakeClock(undefined, runPromises);
}

/** One controller, its model, and the calls between controller and world. */
export class Rehearsal {
  #acts: Act[] = [];
  #parked: { call: string; answer(how: Answer): void }[] = [];

  /**
   * Stands in for a call of the world: waits until the test answers.
   *
   * @param signal Ends the call.
   */
  async park(call: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const parked = { call, answer: resolve };
    this.#parked.push(parked);
    signal?.addEventListener("abort", () => {
      this.#parked = this.#parked.filter((other) => other !== parked);
      resolve("Canceled");
    });
    const how = await promise;
    if (how === "Canceled") throw signal?.reason;
    answerOf(how);
  }

  /** The calls that wait for an answer. */
  get calls(): string[] {
    return this.#parked.map(({ call }) => call);
  }

  /**
   * Begins an operation.
   *
   * @param name For people.
   * @param story How the model tells it; a text is its answer at once.
   * @param operation How the controller does it; absent for what happens in
   * the controller by itself.
   */
  begin(
    name: string,
    story: Story | string,
    operation?: () => unknown,
  ): void {
    const act: Act = {
      name,
      story,
      isOperation: false,
      waits: undefined,
      foretold: typeof story === "string" ? story : undefined,
      answered: undefined,
    };
    this.#acts.push(act);
    this.#goOn(act, "ok");
    if (operation === undefined) return;
    act.isOperation = true;
    (async () => await operation())().then(
      () => act.answered = "ok",
      (error) => act.answered = classify(error),
    );
  }

  #goOn(act: Act, how: Answer): void {
    if (typeof act.story === "string") return;
    const { done, value } = act.story.next(how);
    act.waits = done ? undefined : value as Wait;
    if (done) act.foretold = value as string;
  }

  /** Answers the n-th of the calls that fit. False when there is none. */
  answer(n: number, how: Answer, fits = (_call: string) => true): boolean {
    const fitting = this.calls.filter(fits);
    const name = fitting[n % Math.max(1, fitting.length)];
    // Of calls that look alike the first one, in the model as well.
    const parked = this.#parked.find(({ call }) => call === name);
    if (parked === undefined) return false;
    this.#parked = this.#parked.filter((other) => other !== parked);
    const act = this.#acts.find(({ waits }) => callOf(waits) === parked.call);
    if (act !== undefined) this.#goOn(act, how);
    parked.answer(how);
    return true;
  }

  /** Lets both go on until they wait, then compares them. */
  async settle(): Promise<void> {
    await runPromises();
    for (let moved = true; moved;) {
      moved = false;
      for (const act of this.#acts) {
        for (;;) {
          const { waits } = act;
          if (typeof waits === "function" && waits()) this.#goOn(act, "ok");
          else if (typeof waits === "object" && waits.isAborted()) {
            this.#goOn(act, "Canceled");
          } else break;
          moved = true;
        }
      }
    }
    const foretold = this.#acts.map(({ waits }) => callOf(waits))
      .filter((call) => typeof call === "string");
    assertEquals(this.calls.sort(), foretold.sort());
    const operations = this.#acts.filter(({ isOperation }) => isOperation);
    assertEquals(
      operations.map(({ name, answered }) => [name, answered]),
      operations.map(({ name, foretold }) => [name, foretold]),
    );
    this.#acts = this.#acts.filter(({ foretold }) => foretold === undefined);
  }

  /** Answers everything with a success, also what comes of that. */
  async answerAll(): Promise<void> {
    await this.settle();
    while (this.answer(0, "ok")) await this.settle();
  }

  /** Stories side by side, all to their ends. Gives the first failure. */
  *together(stories: readonly Story[]): Story {
    const results: (string | undefined)[] = stories.map(() => undefined);
    stories.forEach((story, index) =>
      this.begin("one of several", this.#told(story, index, results))
    );
    yield () => !results.includes(undefined);
    return results.find((result) => result !== "ok") ?? "ok";
  }

  *#told(story: Story, index: number, results: unknown[]): Story {
    const result = yield* story;
    results[index] = result;
    return result;
  }

  /** Whether an operation of this name has not ended. */
  isUnderWay(name: string): boolean {
    return this.#acts.some((act) => act.name === name);
  }

  /** Checks that nothing is under way any more. */
  end(): void {
    assertEquals(this.#acts.map(({ name }) => name), []);
    assertEquals(this.calls, []);
  }
}

/** A controller and its model in their world. */
export interface Scene {
  /** Plays both. */
  readonly rehearsal: Rehearsal;
  /** Compares the state of both, between two steps. */
  check(): void;
  /** Ends everything, checks that nothing is left, and starts once more. */
  finish(): Promise<void>;
}

/** Something that happens. Ignored when it makes no sense at that moment. */
export interface Cue<S> {
  /** For people. */
  readonly name: string;
  /** Lets it happen. */
  readonly play: (scene: S) => void | Promise<void>;
}

/** Something that may happen, and how often it shall. */
export type Cues<S> = readonly fc.WeightedArbitrary<Cue<S>>[];

/** A cue that is always the same. */
export function cue<S>(
  weight: number,
  name: string,
  play: Cue<S>["play"],
): fc.WeightedArbitrary<Cue<S>> {
  return { weight, arbitrary: fc.constant({ name, play }) };
}

type Command<S extends Scene> = fc.AsyncCommand<S, S>;

function command<S extends Scene>({ name, play }: Cue<S>): Command<S> {
  return {
    toString: () => name,
    check: () => true,
    run: async (scene) => {
      await play(scene);
      await scene.rehearsal.settle();
      scene.check();
    },
  };
}

const how = fc.constantFrom<Answer>(
  ...Array.from({ length: 8 }, (): Answer => "ok"),
  "Internal",
  "Unavailable",
);

const answerOne = fc.tuple(fc.nat({ max: 3 }), how).map(([n, how]) => ({
  name: `answer ${n} ${how}`,
  play: ({ rehearsal }: Scene) => void rehearsal.answer(n, how),
}));

const answerAll = fc.constant({
  name: "answer all ok",
  play: ({ rehearsal }: Scene) => rehearsal.answerAll(),
});

/** Answers calls; not there when none waits. */
function answer<S extends Scene>(): fc.Arbitrary<Command<S>> {
  return fc.oneof(
    { weight: 9, arbitrary: answerOne },
    { weight: 1, arbitrary: answerAll },
  ).map((cue) => ({
    ...command<S>(cue),
    check: ({ rehearsal }) => rehearsal.calls.length > 0,
  }));
}

/**
 * Runs random sequences of cues and answers, each to its end.
 *
 * @param openings Make a scene, each in its own situation.
 * @param cues What may happen beside the answers.
 * @param numRuns How many sequences.
 */
export async function rehearse<S extends Scene>(
  openings: readonly (() => S | Promise<S>)[],
  cues: Cues<S>,
  numRuns: number,
): Promise<void> {
  const commands = [
    fc.oneof(...cues).map((cue) => command(cue)),
    answer<S>(),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.commands(commands, { maxCommands: 40, size: "max" }),
      fc.constantFrom(...openings),
      async (run, open) => {
        const scene = await open();
        await fc.asyncModelRun(() => ({ model: scene, real: scene }), run);
        await scene.finish();
      },
    ),
    { numRuns },
  );
}
