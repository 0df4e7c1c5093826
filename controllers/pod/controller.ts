/**
 * A pod: the containers that share a network and are ended together.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { limits } from "../../base/timeouts.ts";
import {
  type ContainerDependencies,
  LinuxContainer,
} from "../linux_container/mod.ts";

/** What a pod needs. */
export interface PodDependencies extends ContainerDependencies {
  /** GUID of the VM. */
  readonly runtimeId: string;
}

/** The registry of the containers of one pod. */
export class PodController {
  /** Its id, by which the guest knows it, too. */
  readonly id: string;
  readonly #deps: PodDependencies;
  readonly #containers = new Map<string, LinuxContainer>();

  /**
   * @param deps What its containers need.
   * @param id Its id; a standalone container is a pod of one with its own id.
   */
  constructor(deps: PodDependencies, id: string) {
    this.#deps = deps;
    this.id = id;
  }

  /** Its containers now, by id; a copy. */
  get containers(): ReadonlyMap<string, LinuxContainer> {
    return new Map(this.#containers);
  }

  /** Its containers now; a copy. */
  list(): LinuxContainer[] {
    return [...this.#containers.values()];
  }

  /**
   * A further container, which is not created yet.
   *
   * @throws {ShimError} AlreadyExists for an id that is taken, ResourceExhausted
   * when the pod has too many.
   */
  newContainer(id: string): LinuxContainer {
    if (this.#containers.has(id)) {
      throw new ShimError(
        "AlreadyExists",
        `Container "${id}" already exists in pod "${this.id}"`,
      );
    }
    if (this.#containers.size >= limits.containers) {
      throw new ShimError(
        "ResourceExhausted",
        `Pod "${this.id}" has ${limits.containers} containers already`,
      );
    }
    const { runtimeId } = this.#deps;
    const container = new LinuxContainer(this.#deps, {
      containerId: id,
      podId: this.id,
      runtimeId,
    });
    this.#containers.set(id, container);
    return container;
  }

  /** A container by its id. @throws {ShimError} NotFound. */
  get(id: string): LinuxContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw this.#notFound(id);
    return container;
  }

  /** Forgets a container; tears nothing down. @throws {ShimError} NotFound. */
  remove(id: string): void {
    if (!this.#containers.delete(id)) throw this.#notFound(id);
  }

  #notFound(id: string): ShimError {
    return new ShimError(
      "NotFound",
      `Container "${id}" not found in pod "${this.id}"`,
    );
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
