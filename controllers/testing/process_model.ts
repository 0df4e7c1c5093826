/**
 * A model of a process: how each of its operations goes.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import type { ProcessState, StdioPaths } from "../process/mod.ts";
import { noStdio } from "./fake_stdio.ts";
import {
  type Answer,
  type Rehearsal,
  type Story,
  StoryQueue,
} from "./rehearsal.ts";

const refused = "FailedPrecondition";
const sigKill = 9;

/** What the model knows of the guest. */
export interface GuestModel {
  /** True once the bridge is lost. */
  isLost: boolean;
}

/** A process of the model. A kill by SIGKILL ends it with 137. */
export class ProcessModel {
  /** Where it is. */
  state: ProcessState = "NotCreated";
  /** Its exit code. */
  code = 255;
  /** The client's streams that are open for it. */
  streams: string[] = [];
  /** Whether its program runs in the guest. */
  isAlive = false;
  /** False makes the guest answer "no such process". */
  isDeliverable = true;
  readonly #queue = new StoryQueue();
  #stdio: StdioPaths = noStdio;
  #hasExited = false;
  #isInputEnded = false;

  /**
   * @param name Stands in front of its calls.
   * @param clock The time of controller and model.
   * @param guest Its guest.
   * @param rehearsal Tells what happens by itself.
   */
  constructor(
    readonly name: string,
    readonly clock: Clock,
    readonly guest: GuestModel,
    readonly rehearsal: Rehearsal,
  ) {}

  /** A call to the guest. */
  *#call(call: string): Story<Answer> {
    const how = yield this.name + call;
    return how === "ok" && this.guest.isLost ? "Unavailable" : how;
  }

  /** Its creation. */
  create(stdio: StdioPaths): Story {
    return this.#queue.run(() => this.#create(stdio));
  }

  *#create(stdio: StdioPaths): Story {
    if (this.state !== "NotCreated") return refused;
    if (stdio.terminal && stdio.stderr !== "") return refused;
    for (const name of ["stdin", "stdout", "stderr"] as const) {
      if (stdio[name] === "") continue;
      const how = yield this.name + name;
      if (how === "ok") this.streams.push(name);
      else this.streams = [];
      if (how !== "ok") return how;
    }
    this.#stdio = stdio;
    this.state = "Created";
    return "ok";
  }

  /** Its start. */
  start(): Story {
    return this.#queue.run(() => this.#start());
  }

  *#start(): Story {
    if (this.state !== "Created") return refused;
    const how = yield* this.#call("execute");
    if (how !== "ok") {
      this.#end(1);
      return how;
    }
    this.state = "Running";
    this.isAlive = true;
    if (this.#stdio.stdin !== "") {
      this.rehearsal.begin(`${this.name}input`, this.#input());
    }
    return "ok";
  }

  /** The end of the client's input, by whatever reason, is told to the guest. */
  *#input(): Story {
    yield () => this.#isInputEnded || this.state === "Terminated";
    yield this.name + "closeStdin";
    return "ok";
  }

  /** A signal to it. */
  *kill(signal?: number): Story {
    if (!(yield* this.#queue.run(() => this.#mustBeSignalled()))) return "ok";
    const how = yield* this.#call("signal");
    if (how !== "ok") return how === "Unavailable" ? "ok" : how;
    if (this.isAlive && this.isDeliverable) {
      if ((signal ?? sigKill) === sigKill) this.exit(137);
      return "ok";
    }
    if (this.#hasExited) return "ok";
    if (signal !== sigKill) return "NotFound";
    const end = this.clock.now() + 2 * defaultTimeouts.drainGrace;
    yield () => this.state === "Terminated" || this.clock.now() >= end;
    return this.state === "Terminated" ? "ok" : "NotFound";
  }

  #mustBeSignalled(): boolean {
    if (this.state === "Running") return true;
    if (this.state !== "Terminated") this.#end(1);
    return false;
  }

  /** A new size of its terminal. */
  *resize(): Story {
    const isPossible = this.state === "Running" && this.#stdio.terminal;
    return isPossible ? yield* this.#call("resize") : refused;
  }

  /** The end of its input. */
  closeIo(): string {
    this.#isInputEnded ||= this.state !== "NotCreated"; // it had no input yet
    return "ok";
  }

  /** Its delete. */
  delete(): Story {
    return this.#queue.run(() => this.#delete());
  }

  #delete(): string {
    if (this.state === "NotCreated" || this.state === "Running") return refused;
    if (this.state === "Created") this.#end(0);
    return "ok";
  }

  /** Its end when it never ran. */
  abandon(code = 255): Story {
    return this.#queue.run(() => this.#abandon(code));
  }

  #abandon(code: number): string {
    if (this.state === "NotCreated" || this.state === "Created") {
      this.#end(code);
    }
    return "ok";
  }

  /** Its program ends. */
  exit(code: number, isOutputOpen = false): void {
    this.isAlive = false;
    this.#hasExited = true;
    const { stdout, stderr } = this.#stdio;
    if (!isOutputOpen || stdout + stderr === "") this.#end(code);
    else this.rehearsal.begin(`${this.name}drain`, this.#drain(code));
  }

  *#drain(code: number): Story {
    const end = this.clock.now() + defaultTimeouts.drainGrace;
    yield () => this.clock.now() >= end;
    this.#end(code);
    return "ok";
  }

  #end(code: number): void {
    this.state = "Terminated";
    this.code = code >>> 0;
    this.streams = [];
  }
}
