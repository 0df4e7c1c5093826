/**
 * What a shim told: its events, decoded, in the order in which they came.
 *
 * @module
 */

import { abortable } from "../../../base/clock.ts";
import {
  TaskCreate,
  TaskDelete,
  TaskExecAdded,
  TaskExecStarted,
  TaskExit,
  TaskOOM,
  TaskPaused,
  TaskResumed,
  TaskStart,
} from "../../../ttrpc/api/events.gen.ts";
import type { Envelope } from "../../../ttrpc/api/types.gen.ts";

/** Messages of the events by topic. */
const messages = {
  "/tasks/create": TaskCreate,
  "/tasks/start": TaskStart,
  "/tasks/exit": TaskExit,
  "/tasks/delete": TaskDelete,
  "/tasks/exec-added": TaskExecAdded,
  "/tasks/exec-started": TaskExecStarted,
  "/tasks/oom": TaskOOM,
  "/tasks/paused": TaskPaused,
  "/tasks/resumed": TaskResumed,
} as const;

/** A topic of containerd's task events. */
export type Topic = keyof typeof messages;

/** The message of a topic. */
export type EventOf<T extends Topic> = ReturnType<typeof messages[T]["decode"]>;

/** An event that came. */
export interface Told<T extends Topic = Topic> {
  /** What it is about. */
  readonly topic: T;
  /** containerd's namespace. */
  readonly namespace: string;
  /** Full name of its message. */
  readonly typeUrl: string;
  /** Its message. */
  readonly event: EventOf<T>;
}

function isTopic(topic: string): topic is Topic {
  return topic in messages;
}

/** All events of a shim. */
export class EventBook {
  readonly #told: Told[] = [];
  readonly #watchers = new Set<(told: Told) => void>();

  /** Takes an event; one of an unknown topic is nobody's. */
  add({ topic, namespace, event }: Envelope): void {
    if (!isTopic(topic) || event === undefined) return;
    const told: Told = {
      topic,
      namespace,
      typeUrl: event.typeUrl,
      event: messages[topic].decode(event.value),
    };
    this.#told.push(told);
    for (const watch of this.#watchers) watch(told);
  }

  /** The events of a container. */
  of(id: string): Told[] {
    return this.#told.filter(({ event }) => event.containerId === id);
  }

  /** Topics of a container's events, with the exec id where there is one. */
  story(id: string): string[] {
    return this.of(id).map((told) => {
      const process = processOf(told);
      const name = told.topic.replace("/tasks/", "");
      return process === "" ? name : `${name} ${process}`;
    });
  }

  /**
   * Waits for an event of a container's process, which may have come.
   *
   * @param execId Empty for init.
   */
  async until<T extends Topic>(
    topic: T,
    id: string,
    execId: string,
    signal: AbortSignal,
  ): Promise<Told<T>> {
    const { promise, resolve } = Promise.withResolvers<Told<T>>();
    const look = (told: Told): void => {
      const fits = told.topic === topic && told.event.containerId === id &&
        processOf(told) === execId;
      if (fits) resolve(told as Told<T>);
    };
    this.#watchers.add(look);
    this.#told.forEach(look);
    try {
      return await abortable(promise, signal);
    } finally {
      this.#watchers.delete(look);
    }
  }
}

/** The exec id that an event names; empty for init and for the whole container. */
function processOf({ event }: Told): string {
  if ("execId" in event) return event.execId;
  if ("id" in event) return event.id === event.containerId ? "" : event.id;
  return "";
}
