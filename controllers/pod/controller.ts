/**
 * A pod: the containers that share a network and are ended together.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { limits } from "../../base/timeouts.ts";
import type { PodContainer, PodDependencies } from "./dependencies.ts";
import { Member } from "./member.ts";

/**
 * The registry of the containers of one pod, and the owner of its network.
 *
 * Members answer at once; `setupNetwork`, `teardownNetwork` and `killAll` wait for
 * what they do, while the registry may change.
 */
export class PodController {
  /** Its id, by which the guest knows it, too. */
  readonly id: string;
  readonly #deps: PodDependencies;
  readonly #containers = new Map<string, Member>();
  #networkSetup: Promise<void> | undefined;
  #isEnding = false;
  /** Deletes of its sandbox container that are under way, or were done. */
  #departures = 0;

  /**
   * Nothing is called yet.
   *
   * @param deps What it and its containers need.
   * @param id Its id; a standalone container is a pod of one with its own id.
   */
  constructor(deps: PodDependencies, id: string) {
    this.#deps = deps;
    this.id = id;
  }

  /** Its containers now, by id; a copy. */
  get containers(): ReadonlyMap<string, PodContainer> {
    return new Map(this.#containers);
  }

  /** Its containers now; a copy. */
  list(): PodContainer[] {
    return [...this.#containers.values()];
  }

  /**
   * Sets its network up, once: before the first container, and whoever comes
   * later waits for that one setup. A pod without a network has nothing to do.
   *
   * @param signal Of the first caller: prevents what has not begun.
   * @throws {ShimError} FailedPrecondition when its network was taken down: nobody
   * would take down what is set up then. Else what the network's setup threw, for
   * every caller. The pod cannot be used then;
   * {@linkcode PodController.teardownNetwork} takes back what there is.
   */
  setupNetwork(signal?: AbortSignal): Promise<void> {
    const { network } = this.#deps;
    if (this.#isEnding) {
      return Promise.reject(
        this.#ended(`set up the network of pod "${this.id}"`),
      );
    }
    this.#networkSetup ??= network?.setup(signal) ?? Promise.resolve();
    return this.#networkSetup;
  }

  /**
   * Takes its network down: at its end, after the last container. The delete of
   * the last container does that by itself; call it for a pod that never had one.
   * A pod that had a network takes no further container from now on.
   *
   * @throws What the network's teardown threw. The call can be repeated.
   */
  async teardownNetwork(): Promise<void> {
    const { network } = this.#deps;
    if (network === undefined) return;
    this.#isEnding = true;
    await network.teardown();
  }

  /**
   * A further container, which is not created yet.
   *
   * @throws {ShimError} AlreadyExists for an id that is taken, ResourceExhausted
   * when the pod has too many, FailedPrecondition when its network was taken down,
   * or its sandbox container is being deleted or has been.
   */
  newContainer(id: string): PodContainer {
    if (this.#containers.has(id)) {
      throw new ShimError(
        "AlreadyExists",
        `Container "${id}" already exists in pod "${this.id}"`,
      );
    }
    if (this.#isEnding) {
      throw this.#ended(`add container "${id}" to pod "${this.id}"`);
    }
    if (this.#departures > 0) {
      throw new ShimError(
        "FailedPrecondition",
        `Cannot add container "${id}" to pod "${this.id}": its sandbox container is being deleted, and the pod ends with it`,
      );
    }
    if (this.#containers.size >= limits.containers) {
      throw new ShimError(
        "ResourceExhausted",
        `Pod "${this.id}" has ${limits.containers} containers already`,
      );
    }
    const { runtimeId } = this.#deps;
    const container = new Member(
      this.#deps,
      { containerId: id, podId: this.id, runtimeId },
      {
        leaving: (id) => {
          this.requireLast(id);
          if (id === this.id) this.#departures++;
        },
        stays: (id) => {
          if (id === this.id) this.#departures--;
        },
        left: () => this.#memberLeft(),
      },
    );
    this.#containers.set(id, container);
    return container;
  }

  /** A container by its id. @throws {ShimError} NotFound. */
  get(id: string): PodContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw this.#notFound(id);
    return container;
  }

  /** Forgets a container; tears nothing down. @throws {ShimError} NotFound. */
  remove(id: string): void {
    if (!this.#containers.delete(id)) throw this.#notFound(id);
  }

  #ended(what: string): ShimError {
    return new ShimError(
      "FailedPrecondition",
      `Cannot ${what}: the pod has ended, its network is taken down`,
    );
  }

  #notFound(id: string): ShimError {
    return new ShimError(
      "NotFound",
      `Container "${id}" not found in pod "${this.id}"`,
    );
  }

  /**
   * The precondition of a delete: the sandbox container, which has the id of the
   * pod, goes last. When the VM is gone the order does not matter any more; other
   * containers go whenever they like.
   *
   * @throws {ShimError} FailedPrecondition with the number of those that are left.
   */
  requireLast(id: string): void {
    const { isVmRunning = () => true } = this.#deps;
    if (id !== this.id || !isVmRunning()) return;
    const others = this.#remaining().filter((other) => other.id !== id).length;
    if (others === 0) return;
    throw new ShimError(
      "FailedPrecondition",
      `Cannot delete sandbox container "${id}": ${others} containers of its pod are left`,
    );
  }

  /** Those that are not deleted, be they created or not. */
  #remaining(): Member[] {
    return [...this.#containers.values()].filter(({ isDeleted }) => !isDeleted);
  }

  async #memberLeft(): Promise<void> {
    if (this.#remaining().length === 0) await this.teardownNetwork();
  }

  /**
   * Signals the init process of every container, and with it all others. One
   * that is being created has nothing to signal yet.
   *
   * @param signal Linux signal number.
   * @throws The first failure; every container was tried.
   */
  async killAll(signal: number): Promise<void> {
    const created = this.list().filter(({ state }) => state !== "NotCreated");
    const results = await Promise.allSettled(
      created.map((container) => container.kill("", signal, true)),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /**
   * The VM is lost: ends what never ran.
   *
   * @param error Why.
   */
  async abandon(error: Error): Promise<void> {
    await Promise.all(
      this.list().map((container) => container.abandon(error)),
    );
  }
}
