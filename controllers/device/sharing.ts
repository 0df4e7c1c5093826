/**
 * What the device controllers have in common: claims of holders on things that
 * they share.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { newGuid } from "../../base/guid.ts";
import type { SerialQueue } from "../../base/queue.ts";

/** The reservations of one device controller by their ids. */
export class Reservations<R> {
  readonly #what: string;
  readonly #all = new Map<string, R>();

  /** @param what What is reserved, in words, for example `SCSI`. */
  constructor(what: string) {
    this.#what = what;
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** Notes a reservation. @returns Its id, never used before. */
  add(reservation: R): string {
    const id = newGuid();
    this.#all.set(id, reservation);
    return id;
  }

  /** A reservation by its id. @throws {ShimError} NotFound. */
  get(id: string): R {
    const reservation = this.#all.get(id);
    if (reservation !== undefined) return reservation;
    throw new ShimError(
      "NotFound",
      `${this.#what} reservation ${id} not found`,
    );
  }

  /** Forgets a reservation. */
  delete(id: string): void {
    this.#all.delete(id);
  }
}

/** A claim on a thing in two steps: its reference is given back, then it ends. */
export interface Claim {
  /** False once its reference is given back, while the rest is retried. */
  isHeld: boolean;
}

/**
 * Checks that a claim may still be used.
 *
 * @throws {ShimError} FailedPrecondition after an unmap that did not end well.
 */
export function requireHeld({ isHeld }: Claim, what: string): void {
  if (isHeld) return;
  throw new ShimError(
    "FailedPrecondition",
    `Cannot map ${what}: its reservation is being given back`,
  );
}

/**
 * Joins the holders of a thing in its turn, or makes the thing when there is
 * none, also when it went away while this call waited for its turn.
 *
 * @param find Gives the thing as it is known now.
 * @param make Makes it; runs in the same turn in which it was not found.
 * @param join Joins it; runs in its queue.
 * @returns What `make` or `join` returned.
 * @throws What `make` or `join` threw.
 */
export async function makeOrJoin<T extends { readonly queue: SerialQueue }, R>(
  find: () => T | undefined,
  make: () => R,
  join: (thing: T) => R,
): Promise<R> {
  for (;;) {
    const known = find();
    if (known === undefined) return make();
    const joined = await known.queue.run(() =>
      Promise.resolve(find() === known ? { result: join(known) } : undefined)
    );
    if (joined !== undefined) return joined.result;
  }
}
