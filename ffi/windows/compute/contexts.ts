/**
 * Contexts of native callbacks: numbers instead of addresses.
 *
 * @module
 */

/** Takes what a callback brought, in its order. Must not throw. */
export type ContextTarget<T> = (value: T) => void;

/**
 * Hands what a native callback brings to the one that it is for.
 *
 * The callback runs while a thread of the DLL waits for it, and closing what it
 * is registered with waits for that thread. So a callback only copies and
 * delivers; targets run in a later turn.
 */
export class Contexts<T> {
  readonly #targets = new Map<bigint, ContextTarget<T>>();
  #last = 0n;

  /** Adds a target. @returns Its context, never used twice. */
  add(target: ContextTarget<T>): bigint {
    const context = ++this.#last;
    this.#targets.set(context, target);
    return context;
  }

  /** True when there is somebody to deliver to. */
  has(context: bigint): boolean {
    return this.#targets.has(context);
  }

  /** Has a target run in a later turn, unless it is forgotten until then. */
  deliver(context: bigint, value: T): void {
    queueMicrotask(() => this.#targets.get(context)?.(value));
  }

  /** Forgets a target; what still comes for it is dropped. */
  remove(context: bigint): void {
    this.#targets.delete(context);
  }
}
