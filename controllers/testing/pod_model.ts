/**
 * A model of a pod: who is in it, and when its network comes and goes.
 *
 * @module
 */

import type { ContainerModel } from "./container_model.ts";
import { type Rehearsal, type Story, StoryQueue } from "./rehearsal.ts";

const refused = "FailedPrecondition";

/** A container of the model, as a member of its pod. */
export interface MemberModel {
  /** Its container. */
  readonly container: ContainerModel;
  /** Whether its delete is done, but for the network. */
  isDeleted: boolean;
  /** Whether a repeated delete has only the network left to do. */
  isLeaving: boolean;
}

/** A pod of the model. */
export class PodModel {
  /** Its members by their ids. */
  readonly members = new Map<string, MemberModel>();
  /** Whether the VM runs. */
  isVmRunning = true;
  /** Whether its network is being taken down, or has been. */
  isEnding = false;
  /** Deletes of its sandbox container that are under way, or were done. */
  departures = 0;
  /** How the last teardown went; undefined before. */
  lastTeardown: string | undefined;
  readonly #network = new StoryQueue();
  #setup: "none" | "under way" | { readonly how: string } = "none";

  /**
   * @param id Its id.
   * @param rehearsal Tells what happens side by side.
   * @param makeContainer Makes a container of the model.
   */
  constructor(
    readonly id: string,
    readonly rehearsal: Rehearsal,
    readonly makeContainer: (id: string) => ContainerModel,
  ) {}

  /** The setup of its network: one, whoever asks. */
  *setupNetwork(): Story {
    if (this.isEnding) return refused;
    if (this.#setup === "none") {
      this.#setup = "under way";
      this.rehearsal.begin("setup", this.#network.run(() => this.#setUp()));
    }
    yield () => typeof this.#setup === "object";
    return (this.#setup as { how: string }).how;
  }

  *#setUp(): Story {
    const how = yield "network setup";
    this.#setup = { how };
    return how;
  }

  /** The teardown of its network. */
  *teardownNetwork(): Story {
    this.isEnding = true;
    return yield* this.#network.run(() => this.#tearDown());
  }

  *#tearDown(): Story {
    return this.lastTeardown = yield "network teardown";
  }

  /** A further container. */
  newContainer(id: string): string {
    if (this.members.has(id)) return "AlreadyExists";
    if (this.isEnding || this.departures > 0) return refused;
    const container = this.makeContainer(id);
    this.members.set(id, { container, isDeleted: false, isLeaving: false });
    return "ok";
  }

  /** What happens to a container by its id. */
  *of(id: string, story: (container: ContainerModel) => Story): Story {
    const member = this.members.get(id);
    return member === undefined ? "NotFound" : yield* story(member.container);
  }

  /** Those that are not deleted. */
  get remaining(): MemberModel[] {
    return [...this.members.values()].filter(({ isDeleted }) => !isDeleted);
  }

  /** The delete of a container; the last one takes the network with it. */
  *delete(id: string): Story {
    const member = this.members.get(id);
    if (member === undefined) return "NotFound";
    if (!member.isLeaving) {
      const others = this.remaining.filter((other) => other !== member);
      const isSandbox = id === this.id && this.isVmRunning;
      if (isSandbox && others.length > 0) return refused;
      const departure = id === this.id ? 1 : 0;
      this.departures += departure;
      const how = yield* member.container.delete();
      if (how !== "ok") {
        this.departures -= departure;
        return how;
      }
      member.isDeleted = member.isLeaving = true;
    }
    if (this.remaining.length === 0) {
      const how = yield* this.teardownNetwork();
      if (how !== "ok") return how;
    }
    member.isLeaving = false;
    return "ok";
  }

  /** A signal to all containers. */
  killAll(signal: number): Story {
    const created = [...this.members.values()].filter(({ container }) =>
      container.state !== "NotCreated"
    );
    return this.rehearsal.together(
      created.map(({ container }) => container.kill("", signal, true)),
    );
  }

  /** The news that the VM is lost. */
  abandon(): Story {
    return this.rehearsal.together(
      [...this.members.values()].map(({ container }) => container.abandon()),
    );
  }
}
