/**
 * One task of containerd: a container with its place in a sandbox and the order
 * of its events.
 *
 * @module
 */

import { abortable, type Clock, deadline } from "../base/clock.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import type { LogFields, Logger } from "../base/log.ts";
import { SerialQueue } from "../base/queue.ts";
import type { State } from "../base/states.ts";
import type { Timeouts } from "../base/timeouts.ts";
import type { ExitStatus, ProcessStatus } from "../controllers/process/mod.ts";
import type { ContainerKind } from "../oci/classify.ts";
import type { CreateTaskRequest } from "../ttrpc/api/task.gen.ts";
import { ExitWatch } from "./exit_watch.ts";
import type { Container, Pod, Process } from "./runtime.ts";
import type { Sandbox } from "./sandbox.ts";
import type { TaskEvents } from "./task_events.ts";
import { type TaskEvent, type TaskState, taskStates } from "./task_states.ts";

/** Where a task's container runs. */
export interface Place {
  /** The sandbox whose VM it is. */
  readonly sandbox: Sandbox;
  /** Its pod. */
  readonly pod: Pod;
  /** Its role in the pod. */
  readonly kind: ContainerKind;
}

/** What a task needs of its shim. */
export interface TaskContext {
  /** Takes its events. */
  readonly events: TaskEvents;
  /** Log of the process. */
  readonly log: Logger;
  /** Source of time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Pick<Timeouts, "deleteWait">;
}

/** Processes by exec id; init has the empty one. */
const init = "";

/** Exit code of what SIGKILL has ended, also as a shell passes it on. */
const killedCode = 137;

/** A registered task. */
export class Task {
  /** containerd's id. */
  readonly id: string;
  /** What containerd asked for. */
  readonly request: CreateTaskRequest;
  readonly #context: TaskContext;
  readonly #events: TaskEvents;
  readonly #state: State<TaskState, TaskEvent>;
  readonly #created = Promise.withResolvers<void>();
  readonly #watches = new Map<string, ExitWatch<unknown>>();
  /** Deletes of one process run one after another; by exec id. */
  readonly #deletes = new Map<string, SerialQueue>();
  /** How many of its processes want of memory is known to have killed. */
  #oomKills = 0n;
  /** The last question for that; it never rejects. */
  #asked: Promise<void> = Promise.resolve();
  #place: Place | undefined;
  #container: Container | undefined;

  /**
   * @param request The request that creates it.
   * @param context Where it lives.
   */
  constructor(request: CreateTaskRequest, context: TaskContext) {
    this.id = request.id;
    this.request = request;
    this.#context = context;
    this.#events = context.events;
    this.#state = taskStates.begin(`container "${request.id}"`);
    this.#created.promise.catch(() => {});
  }

  /** Where it runs; undefined until that is decided. */
  get place(): Place | undefined {
    return this.#place;
  }

  /** True while its create is under way. */
  get isCreating(): boolean {
    return this.#state.is("Creating");
  }

  /** True when its create failed, or it was deleted. */
  get isGone(): boolean {
    return this.#state.is("Gone");
  }

  /** The container, if it exists. */
  get container(): Container | undefined {
    return this.#container;
  }

  /** Decides where it runs. */
  settle(place: Place): void {
    this.#place = place;
  }

  /** What its lines in the log carry: it outlives the calls that have such ids. */
  get #ids(): LogFields {
    const { sandbox, pod } = this.#place ?? {};
    return { "sandbox-id": sandbox?.id, pod: pod?.id, cid: this.id };
  }

  /** Its container exists: tells TaskCreate. */
  created(container: Container): void {
    this.#state.to("create");
    this.#container = container;
    this.#events.created(this.request);
    this.#context.log.info("Container created", this.#ids);
    this.#watch(init, container.init);
    this.#created.resolve();
  }

  /** Its create failed; whoever waits for it hears that there is no such task. */
  failed(): void {
    this.#state.to("fail");
    this.#created.reject(notFound(this.id));
  }

  /**
   * The container.
   *
   * @param action What is to be done with it, for the error.
   * @throws {ShimError} FailedPrecondition while it is being created; NotFound
   * when it is gone.
   */
  require(action: string): Container {
    if (this.#state.is("Gone")) throw notFound(this.id);
    if (this.#container === undefined) throw this.#state.refusal(action);
    return this.#container;
  }

  #watch(execId: string, process: Process): void {
    this.#watches.set(
      execId,
      new ExitWatch(this.#ended(process), ({ code, at }) => {
        const { pid } = process.status();
        this.#events.exited(this.id, execId, { pid, code, at });
        if (execId === init) this.#logExit(process, code);
      }),
    );
  }

  /** What nobody can see any more once the container is deleted. */
  #logExit({ isKilled }: Process, exitCode: number): void {
    this.#context.log.info("Container exited", {
      ...this.#ids,
      exitCode,
      ...(isKilled && { killedByClient: true }),
      ...(this.#oomKills > 0n && { oomKills: Number(this.#oomKills) }),
    });
  }

  /** The exit of a process, once it is told if memory was the reason. */
  async #ended(process: Process): Promise<ExitStatus> {
    const exit = await process.exited;
    if (exit.code !== killedCode || process.isKilled) return exit;
    // One after the other: an answer that comes late must not count backwards.
    this.#asked = this.#asked.then(() => this.#tellWantOfMemory());
    await this.#asked;
    return exit;
  }

  async #tellWantOfMemory(): Promise<void> {
    const kills = await this.#container?.oomKills() ?? 0n;
    // An answer that is missing counts as zero, and takes nothing back.
    if (kills <= this.#oomKills) return;
    this.#events.outOfMemory(this.id);
    this.#oomKills = kills;
  }

  /** Resolves when every exit that is to be told has been told. */
  async told(): Promise<void> {
    await Promise.all([...this.#watches.values()].map(({ told }) => told));
  }

  /**
   * The guest has ended what was left of the container; its news may take a moment.
   * Resolves when the exits of these processes have been told, or take too long.
   */
  async #toldOf(processes: ReadonlyMap<string, Process>): Promise<void> {
    const begun = [...processes].filter(([, process]) =>
      process.status().pid !== 0
    );
    const { clock, timeouts, log } = this.#context;
    try {
      await deadline(
        clock,
        timeouts.deleteWait,
        `The end of the processes of container "${this.id}", which is deleted,`,
        () =>
          Promise.all(
            begun.map(([execId]) => this.#watches.get(execId)?.told),
          ),
      );
    } catch (error) {
      log.warn("A process outlives its container", {
        cid: this.id,
        error: messageOf(error),
      });
    }
  }

  /**
   * Starts init, or a further process.
   *
   * @returns Its process id in the guest.
   */
  async start(execId: string, signal: AbortSignal): Promise<number> {
    const container = this.require("start");
    const watch = this.#watches.get(execId);
    if (execId === init) {
      const start = (): Promise<number> => container.start(signal);
      return await (watch?.start(start, (pid) => {
        this.#events.started(this.id, pid);
        this.#context.log.info("Container started", { ...this.#ids, pid });
      }) ?? start());
    }
    const process = container.process(execId);
    const start = (): Promise<number> => process.start(signal);
    return await (watch?.start(start, (pid) => {
      this.#events.execStarted(this.id, execId, pid);
    }) ?? start());
  }

  /** Notes a further process that has been created: tells TaskExecAdded. */
  added(execId: string, process: Process): void {
    this.#events.execAdded(this.id, execId);
    this.#watch(execId, process);
  }

  /** A process. @throws {ShimError} NotFound. */
  process(execId: string, action: string): Process {
    const container = this.require(action);
    return execId === init ? container.init : container.process(execId);
  }

  /**
   * Waits until a process has ended. A create under way is waited for too: there
   * is nothing else to wait for.
   */
  async wait(execId: string, signal: AbortSignal): Promise<ProcessStatus> {
    await abortable(this.#created.promise, signal);
    const process = this.process(execId, "wait for");
    await abortable(process.exited, signal);
    return process.status();
  }

  /**
   * Deletes a process that has ended or never ran. Calls run one after another;
   * a failed one can be repeated.
   *
   * @param execId Empty for init, which deletes the whole container.
   * @param gone Takes the task out of its registries, before TaskDelete is told.
   * @returns The last status.
   */
  async delete(execId: string, gone: () => void): Promise<ProcessStatus> {
    this.require("delete");
    const queue = this.#deletes.get(execId) ?? new SerialQueue();
    this.#deletes.set(execId, queue);
    try {
      return await queue.run(() => this.#delete(execId, gone));
    } finally {
      // One that came meanwhile waits in it, and so must those behind it.
      if (queue.isIdle) this.#deletes.delete(execId);
    }
  }

  async #delete(execId: string, gone: () => void): Promise<ProcessStatus> {
    // The guest forgets the statistics with the container.
    await this.#asked;
    const container = this.require("delete");
    const remove = (): Promise<ProcessStatus> =>
      container.deleteProcess(execId);
    const status =
      await (this.#watches.get(execId)?.delete(remove) ?? remove());
    this.#watches.delete(execId);
    if (execId === init) {
      await this.#toldOf(container.processes());
      this.#state.to("delete");
      gone();
    }
    this.#events.deleted(this.id, execId, {
      pid: status.pid,
      code: status.exitCode,
      at: status.exitedAt ?? 0,
    });
    return status;
  }
}

/** The error for an id that nobody has. */
export function notFound(id: string): ShimError {
  return new ShimError("NotFound", `Container "${id}" not found`);
}
