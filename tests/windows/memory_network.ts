/**
 * The network of a host in memory: one network, one namespace with two endpoints,
 * in the shape that the golden data has.
 *
 * @module
 */

import { HResultError } from "../../base/hresult.ts";
import type { JsonObject } from "../../base/json.ts";
import type { NetworkKind, NetworkService } from "./computenetwork_front.ts";

/** GUID of the namespace. */
export const memoryNamespaceId = "a0000000-0000-1000-8000-0000000000a1";

/** GUID of the network. */
export const memoryNetworkId = "c0000000-0000-1000-8000-0000000000c1";

/** GUIDs of the endpoints, in the namespace's order. */
export const memoryEndpointIds: readonly [string, string] = [
  "e0000000-0000-1000-8000-000000000001",
  "e0000000-0000-1000-8000-000000000002",
];

const SchemaVersion = { Major: 2, Minor: 0 };

function endpoint(
  ID: string,
  Name: string,
  address: number,
  policies: JsonObject = {},
): JsonObject {
  return {
    Dns: {
      Domain: "svc.local",
      Search: ["a.local"],
      ServerList: ["10.0.0.10"],
    },
    HostComputeNamespace: memoryNamespaceId,
    HostComputeNetwork: memoryNetworkId,
    ID,
    IpConfigurations: [{ IpAddress: `10.0.0.${address}`, PrefixLength: 24 }],
    MacAddress: `00-15-5D-00-00-0${address}`,
    Name,
    ...policies,
    Routes: [{ DestinationPrefix: "0.0.0.0/0", NextHop: "10.0.0.1" }],
    SchemaVersion,
  };
}

/** Keeps a list of the calls it got, and refuses what a test tells it to. */
export class MemoryNetwork implements NetworkService {
  /** Calls with their query or id, oldest first. */
  readonly calls: string[] = [];
  /** Functions that fail with E_ACCESSDENIED and an error record, for example `HcnOpenEndpoint`. */
  readonly refused = new Set<string>();
  readonly #documents: Readonly<Record<NetworkKind, readonly JsonObject[]>> = {
    Namespace: [{
      ID: memoryNamespaceId,
      NamespaceId: 1,
      Resources: memoryEndpointIds.map((Id) => ({
        Data: { Id },
        Type: "Endpoint",
      })),
      SchemaVersion,
      Type: "Guest",
    }],
    Endpoint: [
      endpoint(memoryEndpointIds[0], "second", 5),
      endpoint(memoryEndpointIds[1], "pod_eth0", 6, {
        Policies: [{ Settings: { Overhead: 50 }, Type: "EncapOverhead" }],
      }),
    ],
    Network: [{
      ID: memoryNetworkId,
      Name: "pods",
      Type: "L2Bridge",
      SchemaVersion,
    }],
  };

  /** Notes a call. @throws {HResultError} E_ACCESSDENIED when it is refused. */
  enter(call: string, text: string): void {
    this.calls.push(`${call} ${text}`);
    if (this.refused.has(call)) {
      throw new HResultError(0x80070005, `kein Zugriff – 無 (${call})`);
    }
  }

  /** Documents of a kind. */
  documents(kind: NetworkKind): readonly JsonObject[] {
    return this.#documents[kind];
  }
}
