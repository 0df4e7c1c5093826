/**
 * Queues: one that hands values from producers to one consumer, and one that
 * runs the mutations of one entity one after another.
 *
 * @module
 */

import { ShimError } from "./errors.ts";

/** What a full {@linkcode AsyncQueue} does with a further value. */
export type Overflow = "refuse" | "drop-oldest";

/**
 * A bounded queue between producers, which never wait, and one consumer.
 *
 * @example Produce and consume
 * ```ts
 * import { AsyncQueue } from "./queue.ts";
 * const queue = new AsyncQueue<number>({ capacity: 8 });
 * queue.push(1);
 * queue.close();
 * for await (const value of queue) console.assert(value === 1);
 * ```
 */
export class AsyncQueue<T> implements AsyncIterable<T> {
  readonly #capacity: number;
  readonly #overflow: Overflow;
  readonly #values: T[] = [];
  #closed = false;
  #wake: (() => void) | undefined;

  /** @param options How many values are held, and what happens beyond. */
  constructor(options: { capacity: number; overflow?: Overflow }) {
    this.#capacity = options.capacity;
    this.#overflow = options.overflow ?? "refuse";
  }

  /** How many values wait. */
  get size(): number {
    return this.#values.length;
  }

  /**
   * Adds a value. After {@linkcode AsyncQueue.close} it is dropped.
   *
   * @returns The value that was lost: this one or, with `drop-oldest`, the oldest;
   * undefined when none was.
   */
  push(value: T): T | undefined {
    if (this.#closed) return value;
    const full = this.#values.length >= this.#capacity;
    if (full && this.#overflow === "refuse") return value;
    const lost = full ? this.#values.shift() : undefined;
    this.#values.push(value);
    this.#wake?.();
    return lost;
  }

  /** No more values come; those that wait are still handed out. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** Hands out the values until the queue is closed and empty. */
  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      while (this.#values.length > 0) yield this.#values.shift()!;
      if (this.#closed) return;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

/**
 * Runs tasks one after another, in the order in which they came. A failed task
 * does not stop the next one.
 */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();
  #unsettled = 0;

  /** True when every task has settled. */
  get isIdle(): boolean {
    return this.#unsettled === 0;
  }

  /** Runs `task` after all earlier ones have settled. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.#unsettled++;
    const settled = (): number => this.#unsettled--;
    const result = this.#last.then(task);
    this.#last = result.then(settled, settled);
    return result;
  }
}

/**
 * Limits how many tasks run at once; further ones wait in order.
 */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param slots How many tasks may run at once; at least 1. */
  constructor(slots: number) {
    if (!(slots >= 1)) {
      throw new ShimError("InvalidArgument", `${slots} slots let nothing run`);
    }
    this.#free = slots;
  }

  /** Runs `task` when a slot is free. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
