import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import type { EndpointPolicy } from "../../hcs/ports.ts";
import type { Endpoint } from "./peers.ts";
import { guestAdapterRequest, hostAdapterRequest } from "./requests.ts";
import { eth0First, guestAdapter } from "./settings.ts";
import { fakeEndpoint } from "./testing.ts";

const place = { id: "nic1", namespaceId: "ns1", policyBasedRouting: false };

/** What goes over the bridge for an endpoint. */
function sent(
  more: Partial<Endpoint>,
  policyBasedRouting = false,
): Json | undefined {
  const endpoint = fakeEndpoint("e1", {
    ipConfigurations: [],
    macAddress: "",
    ...more,
  });
  const adapter = guestAdapter(endpoint, { ...place, policyBasedRouting });
  return guestAdapterRequest("Add", adapter).Settings;
}

const dns = { domain: "", search: [], serverList: [], options: [] };
const bare = { NamespaceID: "ns1", ID: "nic1" };

const rows: [what: string, more: Partial<Endpoint>, settings: Json][] = [
  ["nothing but itself", {}, bare],
  ["the address of the card as it is", { macAddress: "00-15-5D-Ab" }, {
    ...bare,
    MacAddress: "00-15-5D-Ab",
  }],
  ["the domain before the search list, lower-cased", {
    dns: { ...dns, domain: "Corp.LOCAL", search: ["A.b", "c"] },
  }, { ...bare, DNSSuffix: "corp.local,a.b,c" }],
  ["a search list without a domain", {
    dns: { ...dns, search: ["one", "two"] },
  }, { ...bare, DNSSuffix: "one,two" }],
  ["servers, lower-cased", {
    dns: { ...dns, serverList: ["FD00::AB", "1.1.1.1"] },
  }, { ...bare, DNSServerList: "fd00::ab,1.1.1.1" }],
  ["addresses of both versions, in order", {
    ipConfigurations: [
      { ipAddress: "fd00::6", prefixLength: 64 },
      { ipAddress: "10.0.0.6", prefixLength: 0 },
    ],
  }, {
    ...bare,
    IPConfigs: [{ IPAddress: "fd00::6", PrefixLength: 64 }, {
      IPAddress: "10.0.0.6",
    }],
  }],
  ["routes, with a metric only when there is one", {
    routes: [
      { nextHop: "10.0.0.1", destinationPrefix: "0.0.0.0/0", metric: 0 },
      { nextHop: "fd00::1", destinationPrefix: "::/0", metric: 5 },
    ],
  }, {
    ...bare,
    Routes: [
      { NextHop: "10.0.0.1", DestinationPrefix: "0.0.0.0/0" },
      { NextHop: "fd00::1", DestinationPrefix: "::/0", Metric: 5 },
    ],
  }],
];

for (const [what, more, settings] of rows) {
  Deno.test(`the guest is told ${what}`, () => {
    assertEquals(sent(more), settings);
  });
}

Deno.test("the guest is told of policy-based routing when it is wanted", () => {
  assertEquals(sent({}, true), { ...bare, PolicyBasedRouting: true });
});

/** An endpoint with policies. */
function policies(...list: [type: string, settings: Json][]): {
  policies: EndpointPolicy[];
} {
  return { policies: list.map(([type, settings]) => ({ type, settings })) };
}

const overheads: [what: string, list: [string, Json][], overhead: number][] = [
  ["of the EncapOverhead policy", [["EncapOverhead", { Overhead: 50 }]], 50],
  ["in any case of the member", [["EncapOverhead", { overhead: 8 }]], 8],
  ["of the last policy", [
    ["EncapOverhead", { Overhead: 1 }],
    ["ACL", { Action: "Block" }],
    ["EncapOverhead", { Overhead: 65535 }],
  ], 65535],
  ["of no other policy", [["ACL", { Overhead: 50 }]], 0],
  ["of settings that name none", [["EncapOverhead", null]], 0],
];

for (const [what, list, overhead] of overheads) {
  Deno.test(`the overhead is that ${what}`, () => {
    const endpoint = fakeEndpoint("e1", policies(...list));
    assertEquals(guestAdapter(endpoint, place).EncapOverhead, overhead);
  });
}

for (const bad of ["x", -1, 65536, 1.5, true] satisfies Json[]) {
  Deno.test(`an overhead of ${JSON.stringify(bad)} is refused, naming the endpoint`, () => {
    const endpoint = fakeEndpoint(
      "e1",
      policies(["EncapOverhead", { Overhead: bad }]),
    );
    const error = assertThrows(
      () => guestAdapter(endpoint, place),
      ShimError,
      'policy EncapOverhead of endpoint "e1": $.Overhead: expected uint16',
    );
    assertEquals(error.code, "InvalidArgument");
  });
}

Deno.test("numbers that do not fit are refused, naming their place", () => {
  const error = assertThrows(
    () => sent({ ipConfigurations: [{ ipAddress: "::1", prefixLength: 256 }] }),
    ShimError,
    "$.IPConfigs[0].PrefixLength",
  );
  assertEquals(error.code, "InvalidArgument");
});

Deno.test("eth0First() moves names that end in eth0 to the front and keeps the order else", () => {
  const named = (...names: string[]): string[] =>
    eth0First(names.map((name) => fakeEndpoint(name))).map(({ name }) => name);
  assertEquals(
    named("b", "x_eth0", "eth0x", "a", "eth0", "ETH0"),
    ["x_eth0", "eth0", "b", "eth0x", "a", "ETH0"],
  );
  assertEquals(named(), []);
});

Deno.test("the host is told of endpoint and address, the same for a Remove", () => {
  const endpoint = fakeEndpoint("e1", { macAddress: "00-15" });
  for (const type of ["Add", "Remove"] as const) {
    assertEquals(hostAdapterRequest(type, "nic1", endpoint), {
      ResourcePath: "VirtualMachine/Devices/NetworkAdapters/nic1",
      RequestType: type,
      Settings: { EndpointId: "e1", MacAddress: "00-15" },
    });
  }
});

Deno.test("a Remove in the guest names namespace and adapter alone", () => {
  assertEquals(guestAdapterRequest("Remove", bare), {
    ResourceType: "Network",
    RequestType: "Remove",
    Settings: bare,
  });
});
