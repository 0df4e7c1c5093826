/**
 * How the guest is told of an endpoint, and in which order endpoints come.
 * Everything here is pure.
 *
 * @module
 */

import { uint16 } from "../../base/codec.ts";
import { filled, object, type ObjectCodec } from "../../base/codec_shapes.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import type { EndpointDns } from "../../hcs/ports.ts";
import type { Endpoint, GuestAdapter } from "./peers.ts";

/** The policy that takes bytes off the MTU. */
const encapPolicy = "EncapOverhead";

/** Settings of that policy. */
const EncapOverhead: ObjectCodec<{ Overhead?: number }> = object(
  encapPolicy,
  { Overhead: filled(uint16) },
);

/** What an adapter is, beside its endpoint. */
export interface AdapterPlace {
  /** GUID of the adapter. */
  readonly id: string;
  /** GUID of the namespace in the guest. */
  readonly namespaceId: string;
  /** Whether the guest routes by source address. */
  readonly policyBasedRouting: boolean;
}

/**
 * Endpoints in the order of their adapters: those whose names end in `eth0`
 * first, because the guest's first adapter carries the default route; else as
 * the namespace has them.
 */
export function eth0First(
  endpoints: readonly Endpoint[],
): Endpoint[] {
  const isFirst = ({ name }: Endpoint): boolean => name.endsWith("eth0");
  return [
    ...endpoints.filter(isFirst),
    ...endpoints.filter((endpoint) => !isFirst(endpoint)),
  ];
}

/** The search list: the domain, if there is one, and what is searched beside it. */
function suffixes({ domain, search }: EndpointDns): string {
  return [...domain === "" ? [] : [domain], ...search].join(",").toLowerCase();
}

/** The last policy of the kind counts. */
function overheadOf({ id, policies }: Endpoint): number {
  const policy = policies.findLast(({ type }) => type === encapPolicy);
  if (policy === undefined) return 0;
  try {
    return EncapOverhead.decode(policy.settings).Overhead ?? 0;
  } catch (cause) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot read policy ${encapPolicy} of endpoint "${id}": ${
        messageOf(cause)
      }`,
      { cause },
    );
  }
}

/**
 * What the guest is told of an adapter. Members that say nothing are empty, and
 * not sent.
 *
 * @param endpoint The endpoint behind it.
 * @param place The adapter itself.
 * @throws {ShimError} InvalidArgument when the endpoint's `EncapOverhead` policy
 * has no number of 16 bits.
 *
 * @example Names are lower-cased and joined
 * ```ts
 * import { guestAdapter } from "./settings.ts";
 * import { fakeEndpoint } from "./testing.ts";
 * const { DNSSuffix } = guestAdapter(
 *   fakeEndpoint("e1", {
 *     dns: { domain: "Corp", search: ["X.Y"], serverList: [], options: [] },
 *   }),
 *   { id: "nic", namespaceId: "ns", policyBasedRouting: false },
 * );
 * console.assert(DNSSuffix === "corp,x.y");
 * ```
 */
export function guestAdapter(
  endpoint: Endpoint,
  { id, namespaceId, policyBasedRouting }: AdapterPlace,
): GuestAdapter {
  const { macAddress, dns, ipConfigurations, routes } = endpoint;
  return {
    NamespaceID: namespaceId,
    ID: id,
    MacAddress: macAddress,
    DNSSuffix: suffixes(dns),
    DNSServerList: dns.serverList.join(",").toLowerCase(),
    EncapOverhead: overheadOf(endpoint),
    IPConfigs: ipConfigurations.map(({ ipAddress, prefixLength }) => ({
      IPAddress: ipAddress,
      PrefixLength: prefixLength,
    })),
    Routes: routes.map(({ nextHop, destinationPrefix, metric }) => ({
      NextHop: nextHop,
      DestinationPrefix: destinationPrefix,
      Metric: metric,
    })),
    PolicyBasedRouting: policyBasedRouting,
  };
}
