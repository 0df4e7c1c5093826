import { assertEquals } from "@std/assert";
import { parseJson } from "../../../base/json.ts";
import { hostEndpoint, hostNamespace, hostNetwork } from "./documents.ts";

const empty = {
  id: "asked",
  name: "",
  networkId: "",
  namespaceId: "",
  policies: [],
  ipConfigurations: [],
  dns: { domain: "", search: [], serverList: [], options: [] },
  routes: [],
  macAddress: "",
};

Deno.test("a namespace has the endpoints of its resources, in order", () => {
  const document = parseJson(`{
    "ID": "a1", "NamespaceId": 1, "Type": "Guest",
    "Resources": [
      {"Type": "Endpoint", "Data": {"Id": "e2"}},
      {"Type": "Container", "Data": {"Id": "c1"}},
      {"type": "Endpoint", "DATA": {"ID": "e1"}},
      {"Type": "Endpoint", "Data": {}},
      {"Type": "Endpoint"},
      7
    ]
  }`);
  assertEquals(hostNamespace(document, "A1"), {
    id: "a1",
    namespaceId: 1,
    endpointIds: ["e2", "e1"],
  });
});

for (const text of ['{"Resources":null}', "{}", "[]", "null", '"text"']) {
  Deno.test(`a namespace ${text} has no endpoints`, () => {
    assertEquals(hostNamespace(parseJson(text), "asked"), {
      id: "asked",
      namespaceId: 0,
      endpointIds: [],
    });
  });
}

Deno.test("an endpoint is read whole, whatever the case of its members", () => {
  const document = parseJson(`{
    "Id": "e2", "name": "pod_eth0",
    "HostComputeNetwork": "c1", "hostComputeNamespace": "a1",
    "Policies": [{"Type": "EncapOverhead", "Settings": {"Overhead": 50}}, {}],
    "IpConfigurations": [
      {"IpAddress": "fd00::7", "PrefixLength": 64},
      {"ipaddress": "10.0.0.7", "prefixlength": 16}
    ],
    "DNS": {
      "Domain": "svc.local", "Search": ["a.local", 7],
      "ServerList": ["FD00::1", "9.9.9.9"], "Options": ["ndots:5"]
    },
    "Routes": [
      {"NextHop": "10.0.0.1", "DestinationPrefix": "0.0.0.0/0", "Metric": 5},
      {"NextHop": "10.0.0.2", "DestinationPrefix": "10.0.0.0/8"}
    ],
    "MacAddress": "00-15-5D-00-00-06", "Flags": 0, "Health": {}
  }`);
  assertEquals(hostEndpoint(document, "asked"), {
    id: "e2",
    name: "pod_eth0",
    networkId: "c1",
    namespaceId: "a1",
    policies: [
      { type: "EncapOverhead", settings: { Overhead: 50 } },
      { type: "", settings: null },
    ],
    ipConfigurations: [
      { ipAddress: "fd00::7", prefixLength: 64 },
      { ipAddress: "10.0.0.7", prefixLength: 16 },
    ],
    dns: {
      domain: "svc.local",
      search: ["a.local"],
      serverList: ["FD00::1", "9.9.9.9"],
      options: ["ndots:5"],
    },
    routes: [
      { nextHop: "10.0.0.1", destinationPrefix: "0.0.0.0/0", metric: 5 },
      { nextHop: "10.0.0.2", destinationPrefix: "10.0.0.0/8", metric: 0 },
    ],
    macAddress: "00-15-5D-00-00-06",
  });
});

for (const text of ["{}", "null", '{"Dns":7,"Policies":{},"Routes":null}']) {
  Deno.test(`an endpoint ${text} is empty`, () => {
    assertEquals(hostEndpoint(parseJson(text), "asked"), empty);
  });
}

Deno.test("a network has its id, name and type", () => {
  const document = parseJson('{"ID":"c1","Name":"nat","Type":"NAT"}');
  assertEquals(hostNetwork(document, "asked"), {
    id: "c1",
    name: "nat",
    type: "NAT",
  });
});
