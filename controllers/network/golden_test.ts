import { assertEquals, assertThrows } from "@std/assert";
import { messageOf } from "../../base/errors.ts";
import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from "../../base/json.ts";
import type { EndpointPolicy } from "../../hcs/ports.ts";
import {
  type GoldenCase,
  goldenCases,
  goldenEvents,
} from "../testing/golden.ts";
import { type Adapter, NetworkController } from "./controller.ts";
import type { Endpoint, NetworkPeers } from "./peers.ts";
import { hostAdapterRequest } from "./requests.ts";
import { NetworkWorld } from "./testing.ts";

function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** An endpoint document of the network service as the port's value. */
function endpointOf(document: Json | undefined): Endpoint {
  const endpoint = object(document);
  const { Domain, Search, ServerList, Options } = object(endpoint.Dns);
  return {
    id: text(endpoint.ID),
    name: text(endpoint.Name),
    networkId: text(endpoint.HostComputeNetwork),
    namespaceId: text(endpoint.HostComputeNamespace),
    policies: list(endpoint.Policies).map(object).map((policy) => ({
      type: text(policy.Type),
      settings: policy.Settings ?? null,
    } satisfies EndpointPolicy)),
    ipConfigurations: list(endpoint.IpConfigurations).map(object).map((ip) => ({
      ipAddress: text(ip.IpAddress),
      prefixLength: Number(ip.PrefixLength ?? 0),
    })),
    dns: {
      domain: text(Domain),
      search: list(Search).map(text),
      serverList: list(ServerList).map(text),
      options: list(Options).map(text),
    },
    routes: list(endpoint.Routes).map(object).map((route) => ({
      nextHop: text(route.NextHop),
      destinationPrefix: text(route.DestinationPrefix),
      metric: Number(route.Metric ?? 0),
    })),
    macAddress: text(endpoint.MacAddress),
  };
}

/** A network whose requests are noted as the recordings have them. */
function recorded(
  namespaceId: string,
  endpoints: readonly Endpoint[],
  policyBasedRouting: boolean,
): { network: NetworkController; calls: JsonObject[] } {
  const calls: JsonObject[] = [];
  const world = new NetworkWorld();
  world.host.add(namespaceId, ...endpoints);
  const note = (to: "vm" | "guest") => (request: unknown): Promise<void> => {
    calls.push({ to, request: parseJson(formatJson(request)) });
    return Promise.resolve();
  };
  const { host, log } = world;
  const peers: NetworkPeers = {
    host,
    log,
    vm: { modify: note("vm") },
    guest: { ...world.guest, modify: note("guest") },
  };
  const network = new NetworkController(peers, {
    namespaceId,
    policyBasedRouting,
  });
  return { network, calls };
}

/** Replaces the random ids of adapters, by their places. */
function named(
  calls: readonly JsonObject[],
  adapters: readonly Adapter[],
  names: readonly string[],
): Json {
  let all = formatJson(calls);
  adapters.forEach(({ id }, index) => {
    all = all.replaceAll(id, names[index] ?? "");
  });
  return parseJson(all);
}

/** Adds and removes one adapter; gives what the recording has of that. */
async function play({ input }: GoldenCase): Promise<JsonObject> {
  const { network, calls } = recorded(
    text(input.namespaceId),
    [endpointOf(input.endpoint)],
    input.policyBasedRouting === true,
  );
  const ids = [text(input.nicId)];
  if (input.op === "add") {
    try {
      await network.setup();
    } catch (error) {
      return {
        calls: named(calls, network.adapters, ids),
        error: messageOf(error),
      };
    }
    return { calls: named(calls, network.adapters, ids) };
  }
  await network.setup().catch(() => {}); // what cannot be added is not removed
  const { adapters } = network;
  calls.length = 0;
  await network.teardown();
  return {
    calls: named(calls, adapters, ids),
  };
}

Deno.test("adapters are added and removed with the recorded requests", async () => {
  const cases = (await goldenCases("hcs-modify", ["network"]) ?? [])
    .filter(({ input }) => input.op !== "update");
  for (const entry of cases) {
    const ours = await play(entry);
    assertEquals(ours.calls, entry.output.calls, entry.name);
    assertEquals(
      ours.error === undefined,
      entry.output.error === undefined,
      entry.name,
    );
  }
  console.log(`network: ${cases.length} cases agree`);
});

Deno.test("an update of an adapter, which is never sent, has the recorded form", async () => {
  const cases = (await goldenCases("hcs-modify", ["network"]) ?? [])
    .filter(({ input }) => input.op === "update");
  for (const { name, input, output } of cases) {
    const { nicId, endpointId } = input;
    if (endpointId === undefined) {
      // No settings: our types have no such call, the peer fails at run time.
      assertEquals(output.error === undefined, false, name);
      assertThrows(() =>
        hostAdapterRequest("Update", text(nicId), undefined as never)
      );
      continue;
    }
    const request = hostAdapterRequest("Update", text(nicId), {
      id: text(endpointId),
      macAddress: "",
    });
    assertEquals([{ to: "vm", request }] as Json[], output.calls, name);
  }
});

/** The requests about adapters in a trace, in the order of the recording. */
function adapterRequests(events: readonly JsonObject[]): JsonObject[] {
  return events.flatMap((event): JsonObject[] => {
    const host = object(object(object(event.args).configuration).$json);
    const guest = object(object(event.payload).Request);
    if (text(host.ResourcePath).includes("/NetworkAdapters/")) {
      return [{ to: "vm", request: host }];
    }
    return guest.ResourceType === "Network"
      ? [{ to: "guest", request: guest }]
      : [];
  });
}

for (const scenario of ["network.0", "network.1"]) {
  Deno.test(`the adapters of the trace ${scenario} come and go as they were recorded`, async () => {
    const events = await goldenEvents(scenario);
    if (events === undefined) return;
    const hns = events.find(({ name }) => name === "hns")?.value;
    const [namespaceId, endpoints] = Object.entries(object(hns))[0]!;
    const { network, calls } = recorded(
      namespaceId,
      list(endpoints).map(endpointOf),
      formatJson(events).includes("network.policybasedrouting"),
    );
    await network.setup();
    const { adapters } = network;
    await network.teardown();
    const ids = adapters.map((_, index) => `<guid-${index}>`);
    assertEquals(
      named(calls, adapters, ids),
      adapterRequests(events),
    );
  });
}
