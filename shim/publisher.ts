/**
 * Forwards events to containerd, in their order, without ever making the shim
 * wait: a containerd that is slow, dead or restarting costs events, not tasks.
 *
 * @module
 */

import { type Clock, deadline } from "../base/clock.ts";
import type { Duplex } from "../base/duplex.ts";
import { classify, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { AsyncQueue } from "../base/queue.ts";
import { limits, type Timeouts } from "../base/timeouts.ts";
import { Events } from "../ttrpc/api/events.gen.ts";
import type { MessageType } from "../ttrpc/message.ts";
import { TtrpcClient } from "../ttrpc/client.ts";
import type { ShimMetrics } from "./metrics.ts";
import { timestamp } from "./timestamp.ts";

/** Metadata key that carries the namespace to containerd's services. */
const namespaceKey = "containerd-namespace-ttrpc";

/** Attempts after the first one; the n-th follows n seconds later (containerd's shims: 5). */
const maxRetries = 5;

/** Takes events. */
export interface EventSink {
  /**
   * Queues an event; never waits and never throws.
   *
   * @param topic For example `/tasks/start`.
   * @param type Type of the event.
   * @param event The event.
   */
  publish<T>(topic: string, type: MessageType<T>, event: Partial<T>): void;
}

/** How an {@linkcode EventPublisher} is made. */
export interface PublisherOptions {
  /** containerd's namespace. */
  readonly namespace: string;
  /** Connects to containerd's ttrpc endpoint; undefined when its address is unknown. */
  readonly connect: ((signal: AbortSignal) => Promise<Duplex>) | undefined;
  /** Where lost events are reported. */
  readonly log: Logger;
  /** Where events are counted. */
  readonly metrics: ShimMetrics;
  /** Source of time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Pick<Timeouts, "eventForward">;
  /** Events that may wait; the oldest is dropped beyond. */
  readonly capacity?: number;
}

interface Pending {
  readonly at: number;
  readonly topic: string;
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** Publishes over one connection, which is made when needed and remade when lost. */
export class EventPublisher implements EventSink {
  readonly #options: PublisherOptions;
  readonly #queue: AsyncQueue<Pending>;
  /** Aborted by a close: nothing is waited for between attempts any more. */
  readonly #closing = new AbortController();
  /** Aborted when the close took too long. */
  readonly #stopping = new AbortController();
  readonly #drained: Promise<void>;
  #client: TtrpcClient | undefined;
  #lost = 0;

  /** @param options See {@linkcode PublisherOptions}. */
  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#queue = new AsyncQueue({
      capacity: options.capacity ?? limits.events,
      overflow: "drop-oldest",
    });
    if (options.connect === undefined) {
      options.log.warn("TTRPC_ADDRESS is not set: containerd gets no events");
    }
    this.#drained = this.#run();
  }

  publish<T>(topic: string, type: MessageType<T>, event: Partial<T>): void {
    const { connect, metrics } = this.#options;
    if (connect === undefined) return metrics.add("eventsLost", [topic]);
    const lost = this.#queue.push({
      at: this.#options.clock.now(),
      topic,
      typeUrl: type.typeName,
      value: type.encode(event),
    });
    if (lost !== undefined) {
      this.#countLost(lost.topic, "the queue is full or closed");
    }
  }

  /**
   * Ends: what is queued is still tried once, for as long as one attempt may
   * take; the rest is dropped. Idempotent.
   */
  async close(): Promise<void> {
    const { clock, timeouts, log } = this.#options;
    this.#queue.close();
    this.#closing.abort();
    try {
      await deadline(
        clock,
        timeouts.eventForward,
        "the last events",
        () => this.#drained,
      );
    } catch (error) {
      log.warn("Events are dropped at the end", { error: messageOf(error) });
      this.#stopping.abort(error);
      await this.#drained;
    }
    await this.#client?.close();
  }

  async #run(): Promise<void> {
    for await (const event of this.#queue) {
      if (this.#stopping.signal.aborted) {
        this.#countLost(event.topic, "the shim ends");
        continue;
      }
      await this.#deliver(event);
    }
  }

  /** Delivers one event or gives it up; later events wait, so that order is kept. */
  async #deliver(event: Pending): Promise<void> {
    const { log, metrics } = this.#options;
    for (let attempt = 0;; attempt++) {
      if (attempt > 0) {
        metrics.add("eventRetries", []);
        await this.#pause(attempt * 1000);
      }
      const isLast = attempt >= maxRetries || this.#closing.signal.aborted;
      try {
        await this.#attempt(event);
        return metrics.add("eventsForwarded", [event.topic]);
      } catch (error) {
        if (isLast) return this.#countLost(event.topic, messageOf(error));
        log.debug("Cannot forward an event", {
          topic: event.topic,
          error: messageOf(error),
        });
      }
    }
  }

  /** Waits before the next attempt; a close ends the wait. */
  async #pause(ms: number): Promise<void> {
    await this.#options.clock.sleep(ms, this.#closing.signal).catch(() => {});
  }

  /** One attempt; a connection that was lost since its last use is made anew once. */
  async #attempt(event: Pending): Promise<void> {
    const reused = this.#client;
    try {
      await this.#forward(event);
    } catch (error) {
      if (classify(error) !== "Unavailable") throw error;
      await this.#client?.close();
      this.#client = undefined;
      if (reused === undefined || this.#stopping.signal.aborted) throw error;
      await this.#forward(event);
    }
  }

  async #forward({ at, topic, typeUrl, value }: Pending): Promise<void> {
    const { timeouts, namespace } = this.#options;
    const envelope = {
      timestamp: timestamp(at),
      namespace,
      topic,
      event: { typeUrl, value },
    };
    this.#client ??= await this.#connect();
    await this.#client.call(Events, "Forward", { envelope }, {
      metadata: { [namespaceKey]: namespace },
      signal: this.#stopping.signal,
      timeoutMs: timeouts.eventForward,
    });
  }

  async #connect(): Promise<TtrpcClient> {
    const { clock, timeouts, connect, log } = this.#options;
    const { signal } = this.#stopping;
    const stream = await deadline(
      clock,
      timeouts.eventForward,
      "the connection to containerd",
      (bounded) => connect!(bounded),
      signal,
    );
    return new TtrpcClient(stream, { log, clock });
  }

  #countLost(topic: string, why: string): void {
    this.#lost++;
    this.#options.metrics.add("eventsLost", [topic]);
    this.#options.log.warn("An event is lost", {
      topic,
      error: why,
      lost: this.#lost,
    });
  }
}
