/**
 * A model of a container: how each of its operations goes.
 *
 * @module
 */

import { defaultTimeouts } from "../../base/timeouts.ts";
import type { ContainerState } from "../linux_container/mod.ts";
import type { StdioPaths } from "../process/mod.ts";
import { type GuestModel, ProcessModel } from "./process_model.ts";
import {
  type Answer,
  type Rehearsal,
  type Story,
  StoryQueue,
} from "./rehearsal.ts";
import type { Clock } from "../../base/clock.ts";

const refused = "FailedPrecondition";

/** Which calls a container makes. */
export interface ContainerCalls {
  /** For its creation, each with the calls that take it back. */
  readonly acquire: readonly (readonly [call: string, ...undo: string[]])[];
  /** The calls that take something back, in their order. */
  readonly release: readonly string[];
}

/** What the model is told. */
export interface ContainerModelOptions extends ContainerCalls {
  /** Stands in front of all other calls. Default: nothing. */
  readonly prefix?: string;
  /** The time of controller and model. */
  readonly clock: Clock;
  /** Its guest. */
  readonly guest: GuestModel;
  /** Tells what happens by itself. */
  readonly rehearsal: Rehearsal;
}

/** A container of the model. */
export class ContainerModel {
  /** Where it is. */
  state: ContainerState = "NotCreated";
  /** Whether its `terminated` has resolved. */
  isTerminated = false;
  /** Whether the shim watches it in the guest. */
  isWatched = false;
  /** Whether its container in the guest has ended. */
  hasEnded = false;
  /** Its processes, until they are deleted; init has the empty id. */
  readonly processes = new Map<string, ProcessModel>();
  /** Its init process. */
  readonly init: ProcessModel;
  /** The calls that are left to take back what it holds. */
  readonly held = new Set<string>();
  readonly #options: ContainerModelOptions;
  readonly #queue = new StoryQueue();

  /** @param options What it is told. */
  constructor(options: ContainerModelOptions) {
    this.#options = options;
    this.init = this.#process("", "init");
    options.rehearsal.begin("exit of init", this.#watchInit());
  }

  #process(id: string, name: string): ProcessModel {
    const { clock, guest, rehearsal } = this.#options;
    const process = new ProcessModel(
      `${this.#prefix}${name} `,
      clock,
      guest,
      rehearsal,
    );
    this.processes.set(id, process);
    return process;
  }

  get #prefix(): string {
    return this.#options.prefix ?? "";
  }

  get #execs(): ProcessModel[] {
    return [...this.processes.values()].filter((it) => it !== this.init);
  }

  *#call(call: string): Story<Answer> {
    const how = yield call;
    const isHostCall = call.startsWith("vm ") || call === "grantAccess";
    return how === "ok" && !isHostCall && this.#options.guest.isLost
      ? "Unavailable"
      : how;
  }

  *#watchInit(): Story {
    yield () => this.init.state === "Terminated";
    return yield* this.#queue.run(() => {
      if (this.#isThere) this.state = "Stopped";
      this.isWatched = false;
      this.isTerminated = true;
      return "ok";
    });
  }

  get #isThere(): boolean {
    return this.state === "Created" || this.state === "Running";
  }

  /** Its creation. */
  create(stdio: StdioPaths): Story {
    return this.#queue.run(() => this.#create(stdio));
  }

  *#create(stdio: StdioPaths): Story {
    if (this.state !== "NotCreated") return refused;
    let how: string = yield* this.#acquire();
    if (how === "ok") how = yield* this.init.create(stdio);
    if (how !== "ok") {
      this.state = "Invalid";
      this.isWatched = false;
      yield* this.#release();
      yield* this.init.abandon();
      this.isTerminated = true;
      return how;
    }
    this.state = "Created";
    this.#options.rehearsal.begin("end in the guest", this.#watchGuest());
    return "ok";
  }

  *#acquire(): Story<Answer> {
    for (const [call, ...undo] of this.#options.acquire) {
      const how = yield* this.#call(call);
      const isGuestContainer = call.endsWith("createContainer");
      // A guest that did not answer may have made the container all the same.
      if (how === "ok" || isGuestContainer && how === "Unavailable") {
        for (const step of undo) this.held.add(step);
      }
      if (how !== "ok") return how;
      if (isGuestContainer) this.isWatched = true;
    }
    return "ok";
  }

  *#release(): Story {
    for (const step of this.#options.release) {
      if (!this.held.has(step)) continue;
      if ((yield* this.#call(step)) === "Internal") return "Internal";
      this.held.delete(step);
    }
    return "ok";
  }

  *#watchGuest(): Story {
    yield () => this.hasEnded || !this.isWatched || this.#options.guest.isLost;
    return yield* this.init.abandon();
  }

  /** Its start. */
  start(): Story {
    return this.#queue.run(() => this.#start());
  }

  *#start(): Story {
    if (this.state !== "Created") return refused;
    let how: string = yield* this.#call(`${this.#prefix}start`);
    if (how === "ok") how = yield* this.init.start();
    if (how === "ok") this.state = "Running";
    else {
      this.state = "Invalid";
      yield* this.init.kill();
      this.isTerminated = true;
    }
    return how;
  }

  /** A further process, up to its creation or its start. */
  *exec(id: string, stdio: StdioPaths, isStarted: boolean): Story {
    if (this.state !== "Running") return refused;
    if (this.processes.has(id)) return "AlreadyExists";
    const exec = this.#process(id, id);
    const how = yield* exec.create(stdio);
    if (how === "ok") return isStarted ? yield* exec.start() : "ok";
    if (exec.state === "NotCreated") this.processes.delete(id);
    return how;
  }

  /** A signal to one process, or to all. */
  *kill(id: string, signal: number, isForAll = false): Story {
    if (isForAll && id !== "" || this.state === "NotCreated") return refused;
    if (this.state === "Stopped" || this.state === "Invalid") return "ok";
    if (id === "") {
      const { rehearsal } = this.#options;
      const running = [];
      for (const exec of this.#execs) {
        if (exec.state === "Running") running.push(exec.kill(signal));
        else rehearsal.begin("signal to come", exec.kill(signal));
      }
      yield* rehearsal.together(running);
    }
    const process = this.processes.get(id);
    return process === undefined ? "NotFound" : yield* process.kill(signal);
  }

  /** What asks or tells the guest by one call. */
  *ask(call: string): Story {
    return this.state === "Running" ? yield* this.#call(call) : refused;
  }

  /** The delete of an exec. */
  *deleteExec(id: string): Story {
    const exec = this.processes.get(id);
    if (exec === undefined) return "NotFound";
    const how = yield* exec.delete();
    if (how === "ok") this.processes.delete(id);
    return how;
  }

  /** Its delete. */
  *delete(): Story {
    if (!this.processes.has("")) return "NotFound";
    if (this.state === "NotCreated") return refused;
    if (this.state === "Running" || this.state === "Stopped") {
      const { clock } = this.#options;
      const end = clock.now() + defaultTimeouts.deleteWait;
      yield () => this.isTerminated || clock.now() >= end;
      if (!this.isTerminated) return "DeadlineExceeded";
    }
    return yield* this.#queue.run(() => this.#delete());
  }

  *#delete(): Story {
    if (!this.processes.has("")) return "NotFound";
    let how = yield* this.init.delete();
    if (how !== "ok") return how;
    yield* this.#options.rehearsal.together(
      this.#execs.map((exec) => exec.abandon(1)),
    );
    how = yield* this.#release();
    if (how !== "ok") return how;
    this.isWatched = false;
    this.isTerminated = true;
    this.processes.delete("");
    return "ok";
  }

  /** The news that its VM is lost. */
  abandon(): Story {
    return this.#options.rehearsal.together(
      [...this.processes.values()].map((process) => process.abandon()),
    );
  }
}
