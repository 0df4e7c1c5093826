/**
 * The port to the network service of the host, and what it tells.
 *
 * @module
 */

import type { Json } from "../base/json.ts";

/** A network namespace of the host. */
export interface HostNamespace {
  /** GUID, as the host writes it. */
  readonly id: string;
  /** Its number in the network service; 0 when it has none. */
  readonly namespaceId: number;
  /** GUIDs of the endpoints in it, in the host's order. */
  readonly endpointIds: readonly string[];
}

/** A policy of an endpoint, for example `EncapOverhead`. */
export interface EndpointPolicy {
  /** What it is about. */
  readonly type: string;
  /** Depends on the type. */
  readonly settings: Json;
}

/** One address of an endpoint. */
export interface IpConfiguration {
  /** Of version 4 or 6. */
  readonly ipAddress: string;
  /** Bits of the network part. */
  readonly prefixLength: number;
}

/** Name resolution of an endpoint. */
export interface EndpointDns {
  /** The domain; empty when there is none. */
  readonly domain: string;
  /** Domains that are searched. */
  readonly search: readonly string[];
  /** Addresses of servers. */
  readonly serverList: readonly string[];
  /** Options of the resolver. */
  readonly options: readonly string[];
}

/** One route of an endpoint. */
export interface EndpointRoute {
  /** Address of the gateway. */
  readonly nextHop: string;
  /** For example `0.0.0.0/0`. */
  readonly destinationPrefix: string;
  /** 0 when the host names none. */
  readonly metric: number;
}

/** A network endpoint of the host. What the host does not tell is empty. */
export interface HostEndpoint {
  /** GUID, as the host writes it. */
  readonly id: string;
  /** The creator's name. */
  readonly name: string;
  /** GUID of its network. */
  readonly networkId: string;
  /** GUID of its namespace. */
  readonly namespaceId: string;
  /** Its policies. */
  readonly policies: readonly EndpointPolicy[];
  /** Its addresses. */
  readonly ipConfigurations: readonly IpConfiguration[];
  /** Its name resolution. */
  readonly dns: EndpointDns;
  /** Its routes. */
  readonly routes: readonly EndpointRoute[];
  /** For example `00-15-5D-00-00-05`. */
  readonly macAddress: string;
}

/** A network of the host. */
export interface HostNetworkInfo {
  /** GUID, as the host writes it. */
  readonly id: string;
  /** The creator's name. */
  readonly name: string;
  /** For example `NAT`. */
  readonly type: string;
}

/** The network service of the host. It is only read: the CNI plugin makes what is in it. */
export interface HostNetwork {
  /**
   * Looks a namespace up.
   *
   * @param id GUID.
   * @throws {ShimError} NotFound when there is none.
   * @throws {HResultError} what the service answered.
   */
  namespace(id: string, signal?: AbortSignal): Promise<HostNamespace>;
  /**
   * Looks an endpoint up.
   *
   * @param id GUID.
   * @throws {ShimError} NotFound when there is none.
   * @throws {HResultError} what the service answered.
   */
  endpoint(id: string, signal?: AbortSignal): Promise<HostEndpoint>;
  /** Lists all networks. @throws {HResultError} what the service answered. */
  networks(signal?: AbortSignal): Promise<readonly HostNetworkInfo[]>;
}
