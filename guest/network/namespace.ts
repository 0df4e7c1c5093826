/**
 * One network namespace of the host: its adapters, and the container that has
 * their interfaces (`spec/guest-runtime.md` 13.1 and 13.2).
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { SerialQueue } from "../../base/queue.ts";
import type { NetworkAdapter } from "../../bridge/messages.gen.ts";
import { type Dns, mergeDns } from "./dns.ts";
import type { NetworkKernel, NetworkPlace } from "./stack.ts";
import { takeSteps } from "./stack.ts";
import { networkSteps } from "./steps.ts";

/** An adapter of a namespace. */
interface Adapter {
  readonly id: string;
  readonly settings: NetworkAdapter;
  /** Aborts when the adapter is removed. */
  readonly removed: AbortController;
  /** Its interface in the VM; unknown until it has appeared (again). */
  name: string | undefined;
  /** It has appeared once. */
  isFound: boolean;
  /** Where its interface is configured. */
  place: NetworkPlace | undefined;
}

/** A container that uses the namespace. */
interface Owner {
  readonly id: string;
  readonly place: NetworkPlace;
  /** Aborts when the container lets go. */
  readonly gone: AbortController;
}

/** What a namespace works with. */
export interface NamespaceOptions {
  /** In lower case. */
  readonly id: string;
  /** The network of the VM. */
  readonly kernel: NetworkKernel;
  /** What is left behind is told there. */
  readonly log: Logger;
}

/**
 * A namespace. Interfaces are waited for side by side, and configured one after
 * another.
 */
export class NetworkNamespace {
  /** In lower case; empty for a host that names none. */
  readonly id: string;
  /** Its last container was deleted: it goes with its last adapter. */
  isAbandoned = false;
  readonly #kernel: NetworkKernel;
  readonly #log: Logger;
  readonly #adapters = new Map<string, Adapter>();
  readonly #queue = new SerialQueue();
  #owner: Owner | undefined;

  /** @param options Its id and surroundings. */
  constructor(options: NamespaceOptions) {
    this.id = options.id;
    this.#kernel = options.kernel;
    this.#log = options.log.child({ networkNamespace: options.id });
  }

  /** How many adapters it has, with those that are waited for. */
  get size(): number {
    return this.#adapters.size;
  }

  /** The container that has its interfaces. */
  get owner(): string | undefined {
    return this.#owner?.id;
  }

  /** Name servers and search domains of the adapters that have appeared. */
  get dns(): Dns {
    const found = [...this.#adapters.values()].filter(({ isFound }) => isFound);
    return mergeDns(found.map(({ settings }) => settings));
  }

  /** Settings of the adapters that are configured in a place. */
  settingsIn(place: NetworkPlace): NetworkAdapter[] {
    return [...this.#adapters.values()]
      .filter((adapter) => adapter.place === place)
      .map(({ settings }) => settings);
  }

  /**
   * Adds an adapter: waits for its interface, and gives it to the container that
   * has the namespace, if there is one.
   *
   * QUIRK: the peer keeps an adapter that it could not configure, and moves all
   * adapters again for every new one. Here a failed one is forgotten, its
   * interface returns to the VM, and the others are left alone.
   *
   * @param id In lower case; the caller has checked that it is new.
   * @param settings Valid ones.
   * @param signal Ends the wait.
   * @throws {ShimError} DeadlineExceeded when no interface appears, Aborted when
   * the adapter is removed meanwhile, what the kernel refuses.
   */
  async add(
    id: string,
    settings: NetworkAdapter,
    signal: AbortSignal,
  ): Promise<void> {
    const adapter: Adapter = {
      id,
      settings,
      removed: new AbortController(),
      name: undefined,
      isFound: false,
      place: undefined,
    };
    this.#adapters.set(id, adapter);
    try {
      const either = AbortSignal.any([signal, adapter.removed.signal]);
      await this.#find(adapter, either);
      await this.#queue.run(() => this.#configure(adapter));
      adapter.removed.signal.throwIfAborted();
    } catch (error) {
      if (this.#adapters.get(id) === adapter) this.#adapters.delete(id);
      throw error;
    }
  }

  /**
   * Forgets an adapter. Its interface is left as it is: the host takes it away.
   *
   * @returns False when there is none of this id.
   */
  remove(id: string): boolean {
    const adapter = this.#adapters.get(id);
    adapter?.removed.abort(
      new ShimError("Aborted", `Network adapter ${id} was removed`),
    );
    return this.#adapters.delete(id);
  }

  /**
   * Gives the interfaces to a container, now and as they come.
   *
   * @param owner The container.
   * @param hold Holds its network namespace, which
   * {@linkcode NetworkNamespace.release} lets go of unless it is that of the VM.
   * @throws {ShimError} FailedPrecondition when another container has them (and
   * keeps them); what the kernel refuses, then the caller releases.
   */
  async attach(owner: string, hold: () => NetworkPlace): Promise<void> {
    if (this.#owner !== undefined) {
      throw new ShimError(
        "FailedPrecondition",
        `Cannot give network namespace '${this.id}' to container "${owner}": ` +
          `container "${this.#owner.id}" has it; delete that one first`,
      );
    }
    const gone = new AbortController();
    this.#owner = { id: owner, place: hold(), gone };
    this.isAbandoned = false;
    await this.#queue.run(async () => {
      // Those that have not appeared yet are configured by their own call.
      const found = [...this.#adapters.values()].filter((one) => one.isFound);
      const returning = found.filter(({ name }) => name === undefined);
      await Promise.all(returning.map((adapter) => {
        const { signal } = adapter.removed;
        return this.#find(adapter, AbortSignal.any([signal, gone.signal]));
      }));
      for (const adapter of found) await this.#configure(adapter);
    });
  }

  /**
   * Takes the interfaces from a container. When its network namespace ends, the
   * kernel returns them to the VM.
   */
  async release(owner: string): Promise<void> {
    const released = this.#owner;
    if (released === undefined || released.id !== owner) return;
    this.#owner = undefined;
    released.gone.abort(
      new ShimError("Aborted", `Container "${owner}" is being deleted`),
    );
    // What is configured in the VM itself stays so, and the VM is not released.
    if (released.place === this.#kernel.vm) return;
    await this.#queue.run(() => {
      for (const adapter of this.#adapters.values()) {
        if (adapter.place !== released.place) continue;
        adapter.place = undefined;
        adapter.name = undefined;
      }
      released.place.release();
      return Promise.resolve();
    });
  }

  async #find(adapter: Adapter, signal: AbortSignal): Promise<void> {
    const { id, settings } = adapter;
    const isPci = settings.VPCIAssigned ?? false;
    adapter.name = await this.#kernel.find({ id, isPci }, signal);
    adapter.isFound = true;
  }

  /** With policy based routing all adapters but the first have own tables. */
  #isLowMetric({ id, settings }: Adapter): boolean {
    if (!settings.PolicyBasedRouting) return settings.EnableLowMetric ?? false;
    const [first] = this.#adapters.keys();
    return id !== first;
  }

  /** Moves the interface of an adapter to the owner and configures it, once. */
  async #configure(adapter: Adapter): Promise<void> {
    const { name, settings, removed } = adapter;
    const owner = this.#owner;
    if (owner === undefined || adapter.place === owner.place) return;
    if (name === undefined || removed.signal.aborted) return;
    const { place, gone } = owner;
    const steps = networkSteps(settings, this.#isLowMetric(adapter));
    const isMoved = place !== this.#kernel.vm;
    if (isMoved) moveLink(name, this.#kernel.vm, place);
    try {
      const either = AbortSignal.any([removed.signal, gone.signal]);
      await takeSteps(place, name, steps, either);
      adapter.place = place;
    } catch (error) {
      if (isMoved) this.#returnLink(name, place);
      throw error;
    }
  }

  /** A container must not keep what the host is told it has not got. */
  #returnLink(name: string, place: NetworkPlace): void {
    try {
      moveLink(name, place, this.#kernel.vm);
    } catch (error) {
      this.#log.warn("Network interface stays in the container", {
        interface: name,
        error: messageOf(error),
      });
    }
  }
}

/** Moves an interface, switched off, from one place to another. */
function moveLink(name: string, from: NetworkPlace, to: NetworkPlace): void {
  using stack = from.open();
  const { index } = stack.link(name);
  stack.setUp(index, false);
  stack.move(index, to);
}
