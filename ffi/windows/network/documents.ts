/**
 * The network service's documents as the port's values.
 *
 * @module
 */

import type { Json } from "../../../base/json.ts";
import type {
  HostEndpoint,
  HostNamespace,
  HostNetworkInfo,
} from "../../../hcs/ports.ts";
import {
  listMember,
  member,
  numberMember,
  textMember,
  textsMember,
} from "../library/document.ts";

/** A namespace. @param id The one that was asked for, in case the document lacks it. */
export function hostNamespace(document: Json, id: string): HostNamespace {
  return {
    id: textMember(document, "ID") || id,
    namespaceId: numberMember(document, "NamespaceId") ?? 0,
    endpointIds: listMember(document, "Resources")
      .filter((resource) => textMember(resource, "Type") === "Endpoint")
      .map((resource) => textMember(member(resource, "Data"), "Id"))
      .filter((endpoint) => endpoint !== ""),
  };
}

/** An endpoint. @param id The one that was asked for, in case the document lacks it. */
export function hostEndpoint(document: Json, id: string): HostEndpoint {
  const dns = member(document, "Dns");
  return {
    id: textMember(document, "ID") || id,
    name: textMember(document, "Name"),
    networkId: textMember(document, "HostComputeNetwork"),
    namespaceId: textMember(document, "HostComputeNamespace"),
    policies: listMember(document, "Policies").map((policy) => ({
      type: textMember(policy, "Type"),
      settings: member(policy, "Settings") ?? null,
    })),
    ipConfigurations: listMember(document, "IpConfigurations").map((ip) => ({
      ipAddress: textMember(ip, "IpAddress"),
      prefixLength: numberMember(ip, "PrefixLength") ?? 0,
    })),
    dns: {
      domain: textMember(dns, "Domain"),
      search: textsMember(dns, "Search"),
      serverList: textsMember(dns, "ServerList"),
      options: textsMember(dns, "Options"),
    },
    routes: listMember(document, "Routes").map((route) => ({
      nextHop: textMember(route, "NextHop"),
      destinationPrefix: textMember(route, "DestinationPrefix"),
      metric: numberMember(route, "Metric") ?? 0,
    })),
    macAddress: textMember(document, "MacAddress"),
  };
}

/** A network. @param id The one that was asked for, in case the document lacks it. */
export function hostNetwork(document: Json, id: string): HostNetworkInfo {
  return {
    id: textMember(document, "ID") || id,
    name: textMember(document, "Name"),
    type: textMember(document, "Type"),
  };
}
