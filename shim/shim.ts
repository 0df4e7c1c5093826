/**
 * The shim itself: owner of all sandboxes and tasks of this process, and of the
 * decision when the process ends.
 *
 * @module
 */

import { type Clock, deadline } from "../base/clock.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { limits, type Timeouts } from "../base/timeouts.ts";
import type { WatchedTracer } from "../base/trace.ts";
import type { Options } from "../ttrpc/api/runhcs_options.gen.ts";
import type { CreateTaskRequest } from "../ttrpc/api/task.gen.ts";
import { Calls } from "./calls.ts";
import { Ending } from "./ending.ts";
import { IdleTimer } from "./idle.ts";
import type { ShimMetrics } from "./metrics.ts";
import type { Runtime } from "./runtime.ts";
import { Sandbox, type SandboxConfig } from "./sandbox.ts";
import { notFound, Task } from "./task.ts";
import type { TaskEvents } from "./task_events.ts";

/** What a {@linkcode Shim} is made of. */
export interface ShimParts {
  /** The controllers; loaded in the background. */
  readonly runtime: Promise<Runtime>;
  /** Runtime options that `start` received; rejects when they cannot be read. */
  readonly options: Promise<Options | undefined>;
  /** Takes the events of tasks. */
  readonly events: TaskEvents;
  /** Forwards what is queued and ends; bounded by itself. */
  readonly closeEvents: () => Promise<void>;
  /** Takes no further connection. Idempotent. */
  readonly closeEndpoint: () => Promise<void>;
  /** Log of the process. */
  readonly log: Logger;
  /** Gets a span per call of a client; knows what is under way. */
  readonly tracer: WatchedTracer;
  /** What is counted. */
  readonly metrics: ShimMetrics;
  /** Source of time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Pick<
    Timeouts,
    | "idle"
    | "implicitVmIdle"
    | "shutdown"
    | "shutdownReply"
    | "exitsTold"
    | "guestStacks"
    | "processList"
    | "deleteWait"
    | "binaryDelete"
  >;
}

/** Everything that one `serve` process serves. */
export class Shim {
  /** The sandboxes by id; at most one is created by the services today. */
  readonly sandboxes: Map<string, Sandbox> = new Map();
  /** The tasks by id, over all sandboxes. */
  readonly tasks: Map<string, Task> = new Map();
  /** The calls of clients that are not answered yet. */
  readonly calls: Calls;
  /** Takes the events of tasks. */
  readonly events: TaskEvents;
  /** What is counted. */
  readonly metrics: ShimMetrics;
  /** Log of the process. */
  readonly log: Logger;
  /** Resolves when everything has ended and the process can leave. */
  readonly ended: Promise<void>;
  readonly #parts: ShimParts;
  readonly #idle: IdleTimer;
  readonly #ended = Promise.withResolvers<void>();
  readonly #ending: Ending;
  #endReason: string | undefined;
  #isFinishing = false;
  /** A task has been here: once nothing is left, the process may end. */
  #hadTask = false;

  /** @param parts See {@linkcode ShimParts}. */
  constructor(parts: ShimParts) {
    this.#parts = parts;
    this.metrics = parts.metrics;
    this.calls = new Calls({
      clock: parts.clock,
      log: parts.log,
      tracer: parts.tracer,
      sandboxOf: (id) =>
        this.tasks.get(id)?.place?.sandbox.id ?? this.sandbox?.id,
    });
    this.events = parts.events;
    this.log = parts.log;
    this.ended = this.#ended.promise;
    const { sandboxes, tasks } = this;
    this.#ending = new Ending({ ...parts, sandboxes, tasks });
    this.#idle = new IdleTimer(parts.clock, () => void this.end("idle"));
    this.#watchIdle();
  }

  /** The controllers. */
  get runtime(): Promise<Runtime> {
    return this.#parts.runtime;
  }

  /** Source of time. */
  get clock(): Clock {
    return this.#parts.clock;
  }

  /** Knows what the shim waits for. */
  get tracer(): WatchedTracer {
    return this.#parts.tracer;
  }

  /** Bounds. */
  get timeouts(): ShimParts["timeouts"] {
    return this.#parts.timeouts;
  }

  /** Runtime options that `start` received. */
  get options(): Promise<Options | undefined> {
    return this.#parts.options;
  }

  /** The sandbox of the process, if there is one. */
  get sandbox(): Sandbox | undefined {
    return this.sandboxes.values().next().value;
  }

  /**
   * Takes an id for a task that is to be created.
   *
   * @throws {ShimError} AlreadyExists when the id is taken, by whatever pod.
   */
  addTask(request: CreateTaskRequest): Task {
    this.#requireOpen();
    if (this.tasks.has(request.id)) {
      throw new ShimError(
        "AlreadyExists",
        `Container "${request.id}" already exists`,
      );
    }
    if (this.tasks.size >= limits.containers) {
      throw new ShimError(
        "ResourceExhausted",
        `Cannot create container "${request.id}": the shim has ${this.tasks.size} already`,
      );
    }
    const task = new Task(request, this.#parts);
    this.tasks.set(task.id, task);
    this.#hadTask = true;
    this.#watchIdle();
    return task;
  }

  /** Takes a task out of the registries; its pod goes with its last container. */
  removeTask(task: Task): void {
    this.tasks.delete(task.id);
    const { place } = task;
    if (place !== undefined) {
      if (place.pod.containers.has(task.id)) place.pod.remove(task.id);
      const podLives = [...this.tasks.values()].some((other) =>
        other.place?.pod === place.pod
      );
      if (!podLives) place.sandbox.pods.delete(place.pod.id);
    }
    this.#watchIdle();
  }

  /** @throws {ShimError} AlreadyExists when there is a sandbox. */
  requireNoSandbox(): void {
    const present = this.sandbox;
    if (present === undefined) return;
    throw new ShimError(
      "AlreadyExists",
      `sandbox already exists with id "${present.id}"`,
    );
  }

  /** A task. @throws {ShimError} NotFound. */
  task(id: string): Task {
    const task = this.tasks.get(id);
    if (task === undefined) throw notFound(id);
    return task;
  }

  /** The tasks of one pod. */
  tasksOfPod(podId: string): Task[] {
    return [...this.tasks.values()].filter((task) =>
      task.place?.pod.id === podId
    );
  }

  /**
   * Registers a sandbox, then creates it. A failed create leaves none.
   *
   * @throws {ShimError} AlreadyExists when there is a sandbox.
   */
  async addSandbox(
    config: SandboxConfig,
    signal: AbortSignal,
  ): Promise<Sandbox> {
    this.#requireOpen();
    this.requireNoSandbox();
    const { log, clock } = this.#parts;
    const sandbox = new Sandbox(
      config,
      log.child({ "sandbox-id": config.id }),
      clock,
    );
    this.sandboxes.set(sandbox.id, sandbox);
    this.#watchIdle();
    sandbox.ended.then(({ error }) => this.#onVmEnd(sandbox, error));
    try {
      await sandbox.create(this.runtime, signal);
      return sandbox;
    } catch (error) {
      this.#removeSandbox(sandbox);
      throw error;
    }
  }

  #removeSandbox(sandbox: Sandbox): void {
    this.sandboxes.delete(sandbox.id);
    this.#watchIdle();
  }

  /** Every wait on a container of the VM ends, and every end is told. */
  #onVmEnd(sandbox: Sandbox, error: Error | undefined): void {
    const reason = error ?? new ShimError(
      "Unavailable",
      `The VM of sandbox "${sandbox.id}" has ended`,
    );
    for (const task of this.tasks.values()) {
      if (task.place?.sandbox !== sandbox) continue;
      task.container?.abandon(reason).catch((error) =>
        this.log.error("A container of an ended VM could not be ended", {
          cid: task.id,
          error: messageOf(error),
        })
      );
    }
    this.#watchIdle();
  }

  /**
   * Ends an implicit sandbox whose task failed to be created: nobody else knows
   * of it.
   */
  async dropImplicit(sandbox: Sandbox): Promise<void> {
    const used = [...this.tasks.values()].some((task) =>
      task.place?.sandbox === sandbox
    );
    if (!sandbox.config.implicit || used) return;
    try {
      await sandbox.stop();
      this.#removeSandbox(sandbox);
    } catch (error) {
      this.log.warn("The VM of a failed create could not be stopped", {
        "sandbox-id": sandbox.id,
        error: messageOf(error),
      });
    }
  }

  /** True when tasks were here, none is left, and no sandbox that a client asked for. */
  get isSpent(): boolean {
    return this.#hadTask && this.tasks.size === 0 &&
      [...this.sandboxes.values()].every(({ config }) => config.implicit);
  }

  /**
   * Ends the shim if its VMs have ended, or do so at once. While one goes on,
   * nothing happens. Never rejects.
   */
  async endWithVms(): Promise<void> {
    const { clock, timeouts, log } = this.#parts;
    const ends = [...this.sandboxes.values()].map(({ ended }) => ended);
    try {
      await deadline(
        clock,
        timeouts.binaryDelete,
        "The end of the VMs",
        () => Promise.all(ends),
      );
    } catch (error) {
      log.debug("The shim goes on", { error: messageOf(error) });
      return;
    }
    await this.end("Shutdown without a VM");
  }

  /** True when there is neither a task nor a sandbox, be it just being created. */
  get isEmpty(): boolean {
    return this.tasks.size === 0 && this.sandboxes.size === 0;
  }

  /** Sets the timer that fits what is there now. */
  #watchIdle(): void {
    const { timeouts } = this.#parts;
    if (this.#endReason !== undefined) return;
    if (this.isSpent) this.#idle.set(timeouts.implicitVmIdle);
    else if (this.isEmpty) this.#idle.set(timeouts.idle);
    else this.#idle.stop();
  }

  #requireOpen(): void {
    if (this.#endReason !== undefined) {
      throw new ShimError(
        "Unavailable",
        `The shim is shutting down (${this.#endReason})`,
      );
    }
  }

  /** Refuses whatever is new from now on. */
  #close(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.log.info("The shim ends", { reason });
  }

  /**
   * Makes room for the next shim of these ids before a client, which would start
   * it, hears of the end. {@linkcode Shim.end} follows, if need be by itself.
   * Never rejects.
   *
   * @param reason Why, for the log and for who comes too late.
   * @param ms How long it may take.
   */
  async vacate(reason: string, ms: number): Promise<void> {
    this.#close(reason);
    await this.#ending.vacate(ms);
    // The client may never take the answer behind which the end comes.
    if (!this.#isFinishing) this.#idle.set(this.timeouts.implicitVmIdle);
  }

  /**
   * Ends everything within bounds: VMs, the exits of their containers, the events.
   * Later calls join the first.
   *
   * @param reason Why, for the log and for who comes too late.
   * @returns {@linkcode Shim.ended}.
   */
  end(reason: string): Promise<void> {
    this.#close(reason);
    if (!this.#isFinishing) {
      this.#isFinishing = true;
      this.#idle.stop();
      this.#ending.finish().then(this.#ended.resolve);
    }
    return this.ended;
  }
}
