/**
 * The network of a pod: the adapters that the VM has for the pod's namespace.
 *
 * **Purpose.** A CNI plugin has made a namespace with endpoints on the host, and
 * the pod names it. A {@linkcode NetworkController} gives the VM one adapter per
 * endpoint, tells the guest how to configure it, and takes everything back at
 * the pod's end. What is in the namespace is only read.
 *
 * **Ownership.** One controller per pod with a namespace; the pod owns it, and it
 * owns its adapters: nobody else adds or removes one of these. Several pods in one
 * VM have controllers of their own, which know nothing of each other. The
 * VM, the agent and the host are the caller's ({@linkcode NetworkPeers}).
 *
 * **Life cycle** ({@linkcode networkStates}): NotConfigured → Configured by
 * `setup`, → TornDown by `teardown`. A setup or teardown that fails makes it
 * Invalid, from which a teardown leads on. There is no second setup: a new
 * attempt is a new controller.
 *
 * **Order.** Setup looks the namespace up once, then its endpoints in the order of
 * its resources; endpoints whose names end in `eth0` come first
 * ({@linkcode eth0First}). Each adapter gets a fresh random GUID; the host
 * adds it ({@linkcode hostAdapterRequest}), then the guest is told
 * ({@linkcode guestAdapter}), if it can be: a guest without
 * `NamespaceAddRequestSupported`, which is noted once at construction, never is.
 * Teardown goes adapter by adapter in the order of their addition, guest first,
 * host second. This is not a `Ledger`, which stops at the first failure: an
 * adapter that cannot be removed keeps no other in the VM.
 *
 * **Idempotency.** A setup that fails half-way leaves exactly what a teardown
 * removes: an adapter is tracked from the host's Add to the host's Remove. A
 * teardown without a setup, and a second one, do nothing. A failed teardown is
 * repeated for what is left, without telling the guest twice. What is gone
 * already, be it the adapter, the bridge or the whole VM, counts as removed.
 *
 * **Concurrency.** `setup` and `teardown` of one controller run one after another,
 * those of different controllers side by side. `state` and `adapters` never wait;
 * they may change across every await.
 *
 * **Where we differ** from hcsshim: one look-up of the namespace instead of
 * two; a guest that was told of a removal is not told again by the retry; an
 * endpoint without a namespace of its own is told to the guest with the pod's.
 *
 * @example From the namespace to the adapters, and back
 * ```ts
 * import { NetworkController } from "./mod.ts";
 * import { fakeEndpoint, namespaceId, NetworkWorld } from "./testing.ts";
 * const world = NetworkWorld.with(fakeEndpoint("e1"), fakeEndpoint("e2-eth0"));
 * const network = new NetworkController(world, {
 *   namespaceId,
 *   policyBasedRouting: false,
 * });
 * await network.setup();
 * const [first] = network.adapters;
 * console.assert(first?.endpoint.id === "e2-eth0");
 * await network.teardown();
 * console.assert(network.state === "TornDown" && world.isEmpty);
 * ```
 *
 * @module
 */

export {
  type Adapter,
  type NetworkConfig,
  NetworkController,
} from "./controller.ts";
export type {
  Endpoint,
  GuestAdapter,
  GuestRequest,
  HostRequest,
  NetworkGuest,
  NetworkHost,
  NetworkLog,
  NetworkPeers,
  NetworkVm,
} from "./peers.ts";
export { guestAdapterRequest, hostAdapterRequest } from "./requests.ts";
export { type AdapterPlace, eth0First, guestAdapter } from "./settings.ts";
export {
  type NetworkEvent,
  type NetworkState,
  type NetworkStates,
  networkStates,
} from "./states.ts";
