/**
 * Whom a pod's network talks to.
 *
 * The aliases are internal to the documentation only: what they stand for is
 * documented beside the ports and the bridge.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import type { Logger } from "../../base/log.ts";
import type { Guest } from "../../bridge/guest.ts";
import type {
  ModifyRequest,
  NetworkAdapter,
} from "../../bridge/messages.gen.ts";
import type {
  ComputeSystem,
  HostEndpoint,
  HostNetwork,
} from "../../hcs/ports.ts";

/**
 * The VM, as the host knows it.
 *
 * @internal
 */
export type NetworkVm = Pick<ComputeSystem, "modify">;

/**
 * The agent in the VM.
 *
 * @internal
 */
export type NetworkGuest = Pick<Guest, "modify" | "capabilities">;

/**
 * The network service of the host, which is only read.
 *
 * @internal
 */
export type NetworkHost = Pick<HostNetwork, "namespace" | "endpoint">;

/**
 * Where it is told what happens.
 *
 * @internal
 */
export type NetworkLog = Pick<Logger, "debug">;

/**
 * An endpoint of the host.
 *
 * @internal
 */
export type Endpoint = HostEndpoint;

/**
 * A request to the host.
 *
 * @internal
 */
export type HostRequest = JsonObject;

/**
 * An adapter, as the guest is told of it.
 *
 * @internal
 */
export type GuestAdapter = NetworkAdapter;

/**
 * A request to the guest.
 *
 * @internal
 */
export type GuestRequest = ModifyRequest;

/** Whom a pod's network talks to. */
export interface NetworkPeers {
  /** The VM, as the host knows it: a `ComputeSystem`. */
  readonly vm: NetworkVm;
  /** The agent in the VM: a `Guest`. */
  readonly guest: NetworkGuest;
  /** The network service of the host: a `HostNetwork`. It is only read. */
  readonly host: NetworkHost;
  /** Where it is told what happens: a `Logger`. */
  readonly log: NetworkLog;
}
