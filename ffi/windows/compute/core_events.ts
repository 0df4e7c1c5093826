/**
 * What one compute system reports through `computecore.dll`: its end, the steps
 * of its live migration, and the loss of the service.
 *
 * @module
 */

import { messageOf } from "../../../base/errors.ts";
import { type Json, parseJson } from "../../../base/json.ts";
import type { Logger } from "../../../base/log.ts";
import { AsyncQueue } from "../../../base/queue.ts";
import {
  asNotification,
  type CoreEvent,
  CoreEventType,
} from "./core_callbacks.ts";
import { type Outcome, outcomeError, SystemEvents } from "./system_events.ts";

/** Events of live migrations that wait for their reader; further ones are dropped. */
const migrationCapacity = 16;

/** Takes the events of one handle. */
export class CoreEvents {
  /** The end of the system, for all readers. */
  readonly system: SystemEvents;
  /** Documents of live migration events, for one reader; ends with the handle or the service. */
  readonly migrations: AsyncQueue<Json> = new AsyncQueue({
    capacity: migrationCapacity,
  });
  readonly #log: Logger;
  readonly #lost = new AbortController();
  #end: Outcome | undefined;

  /**
   * @param id The system's id, for messages.
   * @param log Takes what nobody waits for.
   */
  constructor(id: string, log: Logger) {
    this.#log = log.child({ system: id });
    this.system = new SystemEvents(id, this.#log);
  }

  /**
   * Aborts when no request can complete any more. The end of the system is no
   * such reason: a request may be what ends it.
   */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * What stands behind an error.
   *
   * @param subject Operation and id, for the message.
   * @param error What a wait ended with.
   * @returns Why no request can complete, when that ended the wait; else `error`.
   */
  explain(subject: string, error: unknown): unknown {
    if (this.#end === undefined || error !== this.lost.reason) return error;
    return outcomeError(subject, this.#end, this.#log);
  }

  /** Takes one event. Never throws. */
  deliver(event: CoreEvent): void {
    if (event.type === CoreEventType.GroupLiveMigration) {
      this.#deliverMigration(event.data);
      return;
    }
    const notification = asNotification(event);
    if (notification === undefined) return;
    this.system.deliver(notification);
    if (event.type === CoreEventType.ServiceDisconnect) {
      this.#finish({ kind: "disconnected" });
    }
  }

  /** The handle is closed: nothing more comes. */
  close(): void {
    this.#finish({ kind: "closed" });
    this.system.close();
  }

  #deliverMigration(data: string): void {
    let document: Json = {};
    try {
      if (data !== "") document = parseJson(data, "the migration event");
    } catch (error) {
      this.#log.warn("The event of a live migration is no JSON", {
        error: messageOf(error),
      });
      return;
    }
    if (this.#end !== undefined) return;
    if (this.migrations.push(document) === undefined) return;
    this.#log.warn("Dropped an event of a live migration: nobody reads them", {
      document,
    });
  }

  #finish(end: Outcome): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#lost.abort();
    this.migrations.close();
  }
}
