/**
 * Undoing a create that failed.
 *
 * @module
 */

import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";

/**
 * Steps to undo, the latest first. Every one is tried, because in a VM that
 * goes on living a half undone create is better than none; failures are logged.
 */
export class Rollback {
  readonly #log: Logger;
  readonly #steps: { what: string; undo: () => Promise<unknown> }[] = [];

  /** @param log Where failures are told. */
  constructor(log: Logger) {
    this.#log = log;
  }

  /** Notes what was done and how it is undone. */
  add(what: string, undo: () => Promise<unknown>): void {
    this.#steps.push({ what, undo });
  }

  /** Undoes everything. Never rejects. */
  async run(): Promise<void> {
    for (const { what, undo } of this.#steps.splice(0).reverse()) {
      try {
        await undo();
      } catch (error) {
        const message = messageOf(error);
        this.#log.warn("Cannot undo", { what, error: message });
      }
    }
  }
}
