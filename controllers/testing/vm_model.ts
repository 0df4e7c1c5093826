/**
 * A model of a VM: how each of its operations goes.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { bridgePort } from "../../bridge/places.ts";
import { entropyPort, logPort } from "../vm/kernel_command_line.ts";
import type { VmState } from "../vm/mod.ts";
import {
  type Answer,
  type Rehearsal,
  type Story,
  StoryQueue,
} from "./rehearsal.ts";

const refused = "FailedPrecondition";

/** What a VM listens on while it boots. */
const bootPorts: readonly number[] = [entropyPort, logPort, bridgePort];

/** A create or start that is under way, and why it ends early. */
interface Operation {
  reason: string | undefined;
}

/** The caller of an operation. */
export interface Caller {
  /** True once it waits no more. */
  hasLeft: boolean;
}

/** A VM of the model. */
export class VmModel {
  /** Where it is. */
  state: VmState = "NotCreated";
  /** Whether its `exited` has resolved. */
  isSettled = false;
  /** Whether it was running once. */
  wasRunning = false;
  /** Whether its system was made. */
  isMade = false;
  /** Whether the handle of its system is open. */
  hasHandle = false;
  /** How its system ended by itself or by a terminate: the class of that. */
  end: string | undefined;
  /** False keeps a terminate from having an effect. */
  isObedient = true;
  /** The ports that it listens on. */
  ports: number[] = [];
  /** Whether its start was asked for, so that the guest may dial. */
  isAccepting = false;
  /** Whether the guest has closed its bridge. */
  isBridgeLost = false;
  /** Whether the guest has ended its log. */
  isLogEnded = false;
  /** Whether the handshake waits for the guest. */
  isShaking = false;
  /** What the guest said in the handshake. */
  handshake: string | undefined;
  readonly #queue = new StoryQueue();
  readonly #clock: Clock;
  readonly #rehearsal: Rehearsal;
  #operation: Operation = { reason: undefined };
  #isTerminating = false;
  #isWatchOver = false;
  #hasLog = false;
  #isLinkClosed = false;
  #isClosingLink = false;
  #closing: { how: string | undefined } | undefined;

  /**
   * @param clock The time of controller and model.
   * @param rehearsal Tells what happens by itself.
   */
  constructor(clock: Clock, rehearsal: Rehearsal) {
    this.#clock = clock;
    this.#rehearsal = rehearsal;
  }

  /** A create or start, after the earlier ones. */
  #mutate(caller: Caller, story: (operation: Operation) => Story): Story {
    return this.#queue.run(() => {
      if (caller.hasLeft) return "Canceled";
      const operation = { reason: undefined };
      this.#operation = operation;
      return story(operation);
    });
  }

  /** Its creation. */
  create(caller: Caller): Story {
    return this.#mutate(caller, (operation) => this.#create(caller, operation));
  }

  *#create(caller: Caller, operation: Operation): Story {
    if (this.state !== "NotCreated") return refused;
    const why = () =>
      operation.reason ?? (caller.hasLeft ? "Canceled" : undefined);
    const how = yield { call: "create", isAborted: () => why() !== undefined };
    if (how === "Canceled") return why()!;
    if (how !== "ok") return how;
    this.state = "Created";
    this.isMade = this.hasHandle = true;
    this.#rehearsal.begin("end of the VM", this.#watch());
    return "ok";
  }

  *#watch(): Story {
    yield () => this.end !== undefined;
    if (!this.#isTerminating) {
      this.state = "Terminated";
      yield* this.#closeLink();
      yield* this.#closeHandle();
      this.isSettled = true;
    } else yield* this.#closeLink();
    this.#isWatchOver = true;
    return "ok";
  }

  /** Its start. */
  start(caller: Caller): Story {
    return this.#mutate(caller, (operation) => this.#start(caller, operation));
  }

  *#start(caller: Caller, operation: Operation): Story {
    if (this.state === "Running") return "ok";
    if (this.state !== "Created") return refused;
    const limit = this.#clock.now() + defaultTimeouts.vmStart;
    let booted: string | undefined;
    const why = (): string | undefined => {
      if (this.#clock.now() >= limit) operation.reason ??= "DeadlineExceeded";
      if (caller.hasLeft) operation.reason ??= "Canceled";
      return operation.reason ?? this.end;
    };
    const boot = this.#boot(() => why() !== undefined, (how) => booted = how);
    this.#rehearsal.begin("boot", boot);
    yield () => booted !== undefined || why() !== undefined;
    const how = booted ?? why()!;
    if (how === "ok") {
      this.state = "Running";
      this.wasRunning = true;
      this.#rehearsal.begin("loss of the bridge", this.#watchGuest());
    } else if (this.state === "Created") this.state = "Invalid";
    return how;
  }

  *#watchGuest(): Story {
    yield () => this.isBridgeLost || this.#isLinkClosed;
    const limit = this.#clock.now() + defaultTimeouts.bridgeLost;
    const isOver = () => this.end !== undefined || this.#isLinkClosed;
    yield () => isOver() || this.#clock.now() >= limit;
    return isOver() ? "ok" : yield* this.terminate();
  }

  *#boot(isAborted: () => boolean, booted: (how: string) => void): Story {
    const listening: (Answer | undefined)[] = bootPorts.map(() => undefined);
    bootPorts.forEach((_, index) =>
      this.#rehearsal.begin("listen", this.#listen(index, listening))
    );
    yield () => !listening.includes(undefined);
    const refusal = listening.find((how) => how !== "ok");
    if (refusal !== undefined || isAborted()) {
      this.ports = [];
      booted(refusal ?? "Aborted");
      return "ok";
    }
    this.isAccepting = true;
    const how = yield { call: "start", isAborted };
    yield () => how !== "ok" || this.ports.length === 0 || isAborted();
    if (how !== "ok" || isAborted()) {
      this.ports = [];
      booted(how);
      return "ok";
    }
    this.#hasLog = true;
    this.isShaking = true;
    yield () => this.handshake !== undefined || isAborted();
    this.isShaking = false;
    if (isAborted()) this.handshake = "Aborted";
    if (this.handshake !== "ok" && this.#isLinkClosed) yield* this.#closeLink();
    booted(this.handshake!);
    return "ok";
  }

  *#listen(index: number, listening: (Answer | undefined)[]): Story {
    const port = bootPorts[index]!;
    const how = listening[index] = yield `listen ${port}`;
    if (how === "ok") this.ports.push(port);
    return how;
  }

  /** Closes bridge and log; the log may take a while to its end. */
  *#closeLink(): Story {
    this.#isLinkClosed = true;
    if (this.#isClosingLink || !this.#hasLog) {
      yield () => !this.#isClosingLink;
      return "ok";
    }
    this.#isClosingLink = true;
    const limit = this.#clock.now() + defaultTimeouts.drainGrace;
    yield () => this.isLogEnded || this.#clock.now() >= limit;
    this.#hasLog = this.#isClosingLink = false;
    return "ok";
  }

  /** Closes the handle; who comes meanwhile gets the same answer. */
  *#closeHandle(): Story {
    if (!this.hasHandle) return "ok";
    const joined = this.#closing;
    if (joined !== undefined) {
      yield () => joined.how !== undefined;
      return joined.how!;
    }
    const closing: { how: string | undefined } = { how: undefined };
    this.#closing = closing;
    const answer = yield "close";
    // A handle that is gone is closed.
    const how = closing.how = answer === "Unavailable" ? "ok" : answer;
    this.#closing = undefined;
    if (how === "ok") this.hasHandle = false;
    return how;
  }

  /** Its end by its owner. */
  terminate(): Story {
    this.#operation.reason ??= "Aborted";
    return this.#queue.run(() => this.#terminate());
  }

  *#terminate(): Story {
    if (this.state === "NotCreated" || this.state === "Terminated") {
      return yield* this.#closeHandle();
    }
    this.#isTerminating = true;
    if (this.state !== "Created") yield* this.#stop();
    yield* this.#closeLink();
    const how = yield* this.#closeHandle();
    this.state = how === "ok" ? "Terminated" : "Invalid";
    if (how === "ok" || this.end !== undefined) this.isSettled = true;
    this.#isTerminating = false;
    return how;
  }

  *#stop(): Story {
    const how = yield "terminate";
    if (how !== "ok") return how;
    if (this.isObedient) this.end ??= "Aborted";
    const limit = this.#clock.now() + defaultTimeouts.vmTerminate;
    yield () => this.#isWatchOver || this.#clock.now() >= limit;
    return "ok";
  }

  /** A change of the VM. */
  *modify(): Story {
    return this.isMade ? yield "modify" : refused;
  }

  /** Its statistics. */
  *stats(): Story {
    return this.state === "Running" ? yield "properties" : refused;
  }
}
