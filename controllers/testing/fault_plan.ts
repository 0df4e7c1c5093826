/**
 * Fails the n-th call to any of several collaborators, for tests that a failure
 * at every step leaves nothing behind.
 *
 * @module
 */

/** Counts calls and fails one of them. */
export class FaultPlan {
  /** Calls so far. */
  calls = 0;
  /** Name of the call that failed; undefined when the plan did not come to it. */
  failed: string | undefined;
  /** What it throws. */
  readonly error: Error;
  readonly #failAt: number;

  /**
   * @param failAt The number of the call that fails, from 1; 0 fails none.
   * @param error What it throws.
   */
  constructor(failAt: number, error: Error) {
    this.#failAt = failAt;
    this.error = error;
  }

  /**
   * A stand-in for `target` whose named methods are counted.
   *
   * @param target A collaborator.
   * @param methods Names of methods that return promises.
   */
  wrap<T extends object>(target: T, methods: readonly (keyof T)[]): T {
    return new Proxy(target, {
      get: (_target, name): unknown => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        if (!methods.includes(name as keyof T)) return member.bind(target);
        return (...args: unknown[]): unknown => {
          this.calls++;
          if (this.calls === this.#failAt) {
            this.failed = String(name);
            return Promise.reject(this.error);
          }
          return Reflect.apply(member, target, args);
        };
      },
    });
  }
}
