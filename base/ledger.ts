/**
 * The list of acquired resources of one owner, and the only way to let them go.
 *
 * @module
 */

import type { Logger } from "./log.ts";
import { messageOf } from "./errors.ts";

/** One acquired resource. */
export interface LedgerEntry<K extends string = string> {
  /** What it is; the release order goes by this. */
  readonly kind: K;
  /** Which one it is, for logs and look-ups. */
  readonly key: string;
  /**
   * Lets it go. Called until it succeeds once; a thing that is gone already is
   * a success, which the function itself decides.
   */
  readonly release: (signal?: AbortSignal) => Promise<void>;
}

/**
 * Acquired resources, released kind by kind in a fixed order and, within a
 * kind, in the order in which they were acquired.
 *
 * An entry leaves the ledger only after its release succeeded. The first
 * failure stops the release and is thrown; calling again goes on with what is
 * left.
 *
 * @example Acquire and release
 * ```ts
 * import { Ledger } from "./ledger.ts";
 * const ledger = new Ledger(["mount", "disk"]);
 * ledger.add({ kind: "disk", key: "a.vhdx", release: async () => {} });
 * await ledger.release();
 * console.assert(ledger.entries.length === 0);
 * ```
 */
export class Ledger<K extends string = string> {
  readonly #order: readonly K[];
  readonly #log: Logger | undefined;
  #entries: LedgerEntry<K>[] = [];
  #releasing: Promise<void> | undefined;

  /**
   * A ledger that holds nothing.
   *
   * @param order The kinds in the order of their release.
   * @param log Where {@linkcode Ledger.releaseLogged} reports what stays.
   */
  constructor(order: readonly K[], log?: Logger) {
    this.#order = order;
    this.#log = log;
  }

  /** What is held now, in the order of acquisition. */
  get entries(): readonly LedgerEntry<K>[] {
    return this.#entries;
  }

  /** Notes an acquired resource. Its kind must be in the release order. */
  add(entry: LedgerEntry<K>): void {
    if (!this.#order.includes(entry.kind)) {
      throw new TypeError(`Ledger has no place for "${entry.kind}"`);
    }
    this.#entries.push(entry);
  }

  /** True while a resource of this kind (and key) is held. */
  has(kind: K, key?: string): boolean {
    return this.#entries.some((entry) =>
      entry.kind === kind && (key === undefined || entry.key === key)
    );
  }

  /**
   * Releases everything in order. A call during a release joins it.
   *
   * @throws The first failure; what was not released stays.
   */
  release(signal?: AbortSignal): Promise<void> {
    this.#releasing ??= this.#release(signal).finally(() => {
      this.#releasing = undefined;
    });
    return this.#releasing;
  }

  async #release(signal?: AbortSignal): Promise<void> {
    for (const kind of this.#order) {
      for (const entry of this.#entries.filter((held) => held.kind === kind)) {
        await entry.release(signal);
        this.#entries = this.#entries.filter((held) => held !== entry);
      }
    }
  }

  /**
   * Releases like {@linkcode Ledger.release}, but only logs a failure: for the
   * catch block of a create, which must rethrow its own, first error.
   */
  async releaseLogged(): Promise<void> {
    try {
      await this.release();
    } catch (error) {
      this.#log?.warn("Resources of a failed create could not be released", {
        error: messageOf(error),
        held: this.#entries.map(({ kind, key }) => `${kind} ${key}`),
      });
    }
  }
}
