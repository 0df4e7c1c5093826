/**
 * Handles of the pretended Windows. A closed one never comes back, so that who
 * uses it afterwards is found out.
 *
 * @module
 */

import { CallFailure } from "./calls.ts";
import type { FakePort } from "./port.ts";

/** `ERROR_INVALID_HANDLE`. */
const invalidHandle = 6;

/** Something that handles stand for. */
export interface KernelObject {
  /** What it is called in an account. */
  readonly kind: string;
  /** Where its operations complete; for what can be attached. */
  port?: FakePort | undefined;
  /** True when a child may get it. */
  readonly isInheritable?: boolean;
  /** One handle more: of a child that inherits it. */
  share?(): void;
  /** A handle is closed. */
  close(): void;
}

/** A handle as symbols get it. */
export type Handle = number | bigint;

/** A class of objects. */
export type ObjectType<T extends KernelObject> = abstract new (
  ...args: never[]
) => T;

/** The table of open handles. */
export class FakeHandles {
  readonly #misuse: string[];
  readonly #open = new Map<bigint, KernelObject>();
  #last = 0x8000_0000_0000n; // beyond what 32 bits hold

  /** @param misuse Gets what the real Windows would punish. */
  constructor(misuse: string[]) {
    this.#misuse = misuse;
  }

  /** Opens a handle. */
  add(object: KernelObject): bigint {
    this.#last += 4n;
    this.#open.set(this.#last, object);
    return this.#last;
  }

  /**
   * The object of a handle.
   *
   * @param code What the call fails with when it is none of this type.
   * @throws {CallFailure} With `code`.
   */
  find<T extends KernelObject>(
    symbol: string,
    handle: Handle,
    type: ObjectType<T>,
    code = invalidHandle,
  ): T {
    const object = this.#open.get(BigInt(handle));
    if (object instanceof type) return object;
    // A null handle is nobody's: the answer is certain.
    if (BigInt(handle) !== 0n) {
      const what = object === undefined
        ? "a handle that is not open"
        : `the handle of a ${object.kind}`;
      this.#misuse.push(`${symbol} with ${what}`);
    }
    throw new CallFailure(code);
  }

  /** The object of a handle that is open, whatever it is. */
  any(handle: Handle): KernelObject | undefined {
    return this.#open.get(BigInt(handle));
  }

  /** Closes a handle. @param accepts Which objects the symbol may close. */
  close(
    symbol: string,
    handle: Handle,
    accepts: (object: KernelObject) => boolean,
  ): KernelObject {
    const object = this.#open.get(BigInt(handle));
    if (object === undefined || !accepts(object)) {
      this.#misuse.push(
        `${symbol} of ${
          object === undefined
            ? "a handle that is not open"
            : `a ${object.kind}`
        }`,
      );
      throw new CallFailure(invalidHandle);
    }
    this.#open.delete(BigInt(handle));
    object.close();
    return object;
  }

  /** Open handles, counted by kind. */
  leftovers(): string[] {
    const counts = new Map<string, number>();
    for (const { kind } of this.#open.values()) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    return [...counts].map(([kind, count]) => `${count} handles of a ${kind}`);
  }
}
