/**
 * The events of tasks, as containerd's `events` package has them.
 *
 * @module
 */

import type { CreateTaskRequest } from "../ttrpc/api/task.gen.ts";
import {
  TaskCreate,
  TaskDelete,
  TaskExecAdded,
  TaskExecStarted,
  TaskExit,
  TaskOOM,
  TaskStart,
} from "../ttrpc/api/events.gen.ts";
import type { EventSink } from "./publisher.ts";
import { timestamp } from "./timestamp.ts";

/** How a process ended. */
export interface ProcessEnd {
  /** Its process id in the guest; 0 when it never ran. */
  readonly pid: number;
  /** Its exit code. */
  readonly code: number;
  /** When it ended, milliseconds since 1970. */
  readonly at: number;
}

/** Topics of the events, by what has happened. */
export const taskTopics = {
  created: "/tasks/create",
  started: "/tasks/start",
  execAdded: "/tasks/exec-added",
  execStarted: "/tasks/exec-started",
  outOfMemory: "/tasks/oom",
  exited: "/tasks/exit",
  deleted: "/tasks/delete",
} as const;

/** Tells containerd what happens to tasks. */
export class TaskEvents {
  readonly #sink: EventSink;

  /** @param sink Takes the events. */
  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  /** A container has been created. */
  created(request: CreateTaskRequest): void {
    const { id, bundle, rootfs, stdin, stdout, stderr, terminal } = request;
    this.#sink.publish(taskTopics.created, TaskCreate, {
      containerId: id,
      bundle,
      rootfs,
      io: { stdin, stdout, stderr, terminal },
      pid: 0,
    });
  }

  /** The init process runs. */
  started(containerId: string, pid: number): void {
    this.#sink.publish(taskTopics.started, TaskStart, { containerId, pid });
  }

  /** A further process has been created. */
  execAdded(containerId: string, execId: string): void {
    this.#sink.publish(taskTopics.execAdded, TaskExecAdded, {
      containerId,
      execId,
    });
  }

  /** A further process runs. */
  execStarted(containerId: string, execId: string, pid: number): void {
    this.#sink.publish(taskTopics.execStarted, TaskExecStarted, {
      containerId,
      execId,
      pid,
    });
  }

  /** The kernel has killed a process of a container for want of memory. */
  outOfMemory(containerId: string): void {
    this.#sink.publish(taskTopics.outOfMemory, TaskOOM, { containerId });
  }

  /** A process has ended. `execId` is empty for init, whose events carry the container's id. */
  exited(containerId: string, execId: string, end: ProcessEnd): void {
    this.#sink.publish(taskTopics.exited, TaskExit, {
      containerId,
      id: execId || containerId,
      pid: end.pid,
      exitStatus: end.code,
      exitedAt: timestamp(end.at),
    });
  }

  /** A process has been deleted. `execId` is empty for init. */
  deleted(containerId: string, execId: string, end: ProcessEnd): void {
    this.#sink.publish(taskTopics.deleted, TaskDelete, {
      containerId,
      id: execId || containerId,
      pid: end.pid,
      exitStatus: end.code,
      exitedAt: timestamp(end.at),
    });
  }
}
