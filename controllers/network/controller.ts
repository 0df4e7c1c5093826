/**
 * The network of one pod: the adapters that its VM has for one namespace.
 *
 * @module
 */

import { classify, messageOf, ShimError } from "../../base/errors.ts";
import { newGuid } from "../../base/guid.ts";
import { isGone, isNotFound } from "../../base/hresult.ts";
import { SerialQueue } from "../../base/queue.ts";
import type { State } from "../../base/states.ts";
import type { Endpoint, NetworkPeers } from "./peers.ts";
import { guestAdapterRequest, hostAdapterRequest } from "./requests.ts";
import { eth0First, guestAdapter } from "./settings.ts";
import {
  type NetworkEvent,
  type NetworkState,
  networkStates,
} from "./states.ts";

/** Which network it is. */
export interface NetworkConfig {
  /** The pod's namespace on the host: its GUID, or what the host finds it by. */
  readonly namespaceId: string;
  /** Whether the guest routes by source address. */
  readonly policyBasedRouting: boolean;
}

/** An adapter that the host has added to the VM and not removed yet. */
export interface Adapter {
  /** Its GUID, fresh for every adapter. */
  readonly id: string;
  /** The endpoint behind it, as it was when the adapter was added. */
  readonly endpoint: Endpoint;
}

interface TrackedAdapter extends Adapter {
  /** False when the guest need not be told of its removal (any more). */
  isInGuest: boolean;
}

/**
 * Owns the adapters of one pod.
 *
 * `setup` and `teardown` run one after another. `state` and `adapters` answer at
 * once, also while those run, and may change across their awaits.
 */
export class NetworkController {
  #namespaceId: string;
  readonly #peers: NetworkPeers;
  readonly #policyBasedRouting: boolean;
  /** Whether the guest takes adapters; it configures nothing by itself if not. */
  readonly #tellsGuest: boolean;
  readonly #state: State<NetworkState, NetworkEvent>;
  readonly #mutations = new SerialQueue();
  readonly #adapters = new Map<string, TrackedAdapter>();

  /**
   * Nothing is called yet; what the guest can do is noted.
   *
   * @param peers The VM, its agent, and the host.
   * @param config Which network it is.
   */
  constructor(peers: NetworkPeers, config: NetworkConfig) {
    this.#peers = peers;
    this.#namespaceId = config.namespaceId;
    this.#policyBasedRouting = config.policyBasedRouting;
    const can = peers.guest.capabilities.GuestDefinedCapabilities;
    this.#tellsGuest = can?.NamespaceAddRequestSupported ?? false;
    this.#state = networkStates.begin(`network "${config.namespaceId}"`);
  }

  /** The pod's namespace: as the host names it, once the host was asked. */
  get namespaceId(): string {
    return this.#namespaceId;
  }

  /** Its state. */
  get state(): NetworkState {
    return this.#state.current;
  }

  /** The adapters that the VM has now, in the order in which they came; a copy. */
  get adapters(): readonly Adapter[] {
    return [...this.#adapters.values()];
  }

  /**
   * Gives the VM an adapter for every endpoint of the namespace.
   *
   * @param signal Prevents what has not begun; a change under way is waited for.
   * @throws {ShimError} FailedPrecondition when it was set up before;
   * InvalidArgument for an empty namespace or an endpoint that cannot be told to
   * the guest; NotFound for an unknown namespace or endpoint; else what host or
   * guest answered. It is Invalid then, and a teardown takes back what was added.
   */
  setup(signal?: AbortSignal): Promise<void> {
    return this.#mutations.run(async () => {
      this.#state.require("setup");
      signal?.throwIfAborted();
      try {
        for (const endpoint of eth0First(await this.#endpoints(signal))) {
          signal?.throwIfAborted();
          await this.#add(endpoint);
        }
        this.#state.to("setup");
      } catch (error) {
        this.#state.to("fail");
        throw error;
      }
    });
  }

  /** The endpoints of the namespace, in its order. */
  async #endpoints(signal?: AbortSignal): Promise<Endpoint[]> {
    const { host } = this.#peers;
    if (this.namespaceId === "") {
      throw new ShimError(
        "InvalidArgument",
        "Cannot set up a network: the id of its namespace is empty",
      );
    }
    const endpoints: Endpoint[] = [];
    const { id: found, endpointIds } = await host.namespace(
      this.namespaceId,
      signal,
    );
    this.#namespaceId = found;
    for (const id of endpointIds) {
      endpoints.push(await host.endpoint(id, signal));
    }
    return endpoints;
  }

  /** Host first: the guest waits for a device that is there. */
  async #add(endpoint: Endpoint): Promise<void> {
    const { vm, guest } = this.#peers;
    const id = newGuid();
    await vm.modify(hostAdapterRequest("Add", id, endpoint));
    this.#adapters.set(id, { id, endpoint, isInGuest: this.#tellsGuest });
    if (!this.#tellsGuest) return;
    const adapter = guestAdapter(endpoint, {
      id,
      namespaceId: endpoint.namespaceId || this.namespaceId,
      policyBasedRouting: this.#policyBasedRouting,
    });
    await guest.modify(guestAdapterRequest("Add", adapter));
  }

  /**
   * Takes every adapter from the VM. A network that was never set up has none,
   * and one that was torn down has none left: both are a success without a call.
   *
   * What guest or VM no longer have, or cannot be asked for because they are
   * gone, counts as removed. An adapter that fails stays tracked; the others are
   * removed all the same.
   *
   * @throws What was answered for the one adapter that failed; for several, a
   * {@linkcode ShimError} with the class of the first and the texts of all. The
   * network is Invalid then, and the call can be repeated: it goes on with what
   * is left.
   */
  teardown(): Promise<void> {
    return this.#mutations.run(async () => {
      if (this.#state.is("NotConfigured", "TornDown")) return;
      const failures: unknown[] = [];
      for (const adapter of [...this.#adapters.values()]) {
        try {
          await this.#remove(adapter);
        } catch (error) {
          failures.push(error);
        }
      }
      this.#state.to(failures.length === 0 ? "teardown" : "fail");
      if (failures.length > 0) throw this.#joined(failures);
    });
  }

  /** Guest first: it must let go of a device before that is pulled out. */
  async #remove(adapter: TrackedAdapter): Promise<void> {
    const { vm, guest } = this.#peers;
    const { id, endpoint } = adapter;
    if (adapter.isInGuest) {
      const named = { NamespaceID: this.namespaceId, ID: id };
      await this.#tolerating(
        guest.modify(guestAdapterRequest("Remove", named)),
        isGoneForGuest,
        id,
      );
      adapter.isInGuest = false;
    }
    await this.#tolerating(
      vm.modify(hostAdapterRequest("Remove", id, endpoint)),
      isGone,
      id,
    );
    this.#adapters.delete(id);
  }

  /** Waits for a removal of what may be gone already. */
  async #tolerating(
    removal: Promise<void>,
    isGone: (error: unknown) => boolean,
    adapter: string,
  ): Promise<void> {
    try {
      await removal;
    } catch (error) {
      if (!isGone(error)) throw error;
      this.#peers.log.debug("A network adapter is gone already", {
        adapter,
        namespace: this.namespaceId,
        error: messageOf(error),
      });
    }
  }

  /** One error for all; its class is that of the first. */
  #joined(failures: readonly unknown[]): unknown {
    if (failures.length === 1) return failures[0];
    return new ShimError(
      classify(failures[0]),
      `Cannot remove ${failures.length} adapters of network "${this.namespaceId}": ${
        failures.map(messageOf).join("; ")
      }`,
      { cause: new AggregateError(failures) },
    );
  }
}

/** The guest does not know the adapter, or cannot be reached any more. */
function isGoneForGuest(error: unknown): boolean {
  return isNotFound(error) || classify(error) === "Unavailable";
}
