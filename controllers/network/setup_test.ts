import { assert, assertEquals, assertRejects } from "@std/assert";
import { classify, ShimError } from "../../base/errors.ts";
import { NetworkController } from "./controller.ts";
import {
  configuredNetwork,
  fakeEndpoint,
  injected,
  namespaceId,
  networkOf,
  NetworkWorld,
  newNetwork,
  takesAdapters,
} from "./testing.ts";

/** Guests that do not take adapters. */
const silentGuests = [
  { ...takesAdapters, GuestDefinedCapabilities: {} },
  { RuntimeOsType: "Linux" },
];

Deno.test("host:H1 construction notes what the guest can do, and calls nobody", async () => {
  const GuestDefinedCapabilities = { NamespaceAddRequestSupported: true };
  const world = new NetworkWorld({
    ...takesAdapters,
    GuestDefinedCapabilities,
  });
  const { network } = newNetwork(1, world);
  assertEquals([network.state, world.said()], ["NotConfigured", []]);
  GuestDefinedCapabilities.NamespaceAddRequestSupported = false;
  await network.setup();
  assertEquals(world.guestAdapters.size, 1);
});

Deno.test("host:H2 construction with a guest that names no capabilities works", () => {
  const { network } = newNetwork(1, new NetworkWorld({}));
  assertEquals([network.state, network.adapters], ["NotConfigured", []]);
});

Deno.test("host:H3 setup() is refused with FailedPrecondition unless NotConfigured", async () => {
  const { world, network } = await configuredNetwork();
  const refused = async (state: string): Promise<void> => {
    const error = await assertRejects(
      () => network.setup(),
      ShimError,
      `Cannot setup network "${namespaceId}": it is ${state}`,
    );
    assertEquals([classify(error), network.state, world.said()], [
      "FailedPrecondition",
      state,
      [],
    ]);
  };
  await refused("Configured");
  world.script.failNext("vm Remove", injected);
  await assertRejects(() => network.teardown());
  world.said();
  await refused("Invalid");
  await network.teardown();
  world.said();
  await refused("TornDown");
});

Deno.test("host:H4 setup() of an empty namespace is refused with InvalidArgument", async () => {
  const world = new NetworkWorld();
  const network = new NetworkController(world, {
    namespaceId: "",
    policyBasedRouting: false,
  });
  const error = await assertRejects(() => network.setup(), ShimError, "empty");
  assertEquals([error.code, network.state, world.said()], [
    "InvalidArgument",
    "Invalid",
    [],
  ]);
});

Deno.test("host:H8 an endpoint becomes an adapter of the host, then of the guest", async () => {
  const { world, network } = newNetwork();
  await network.setup();
  const [adapter] = network.adapters;
  const id = adapter?.id ?? "";
  assert(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/.test(id));
  const [host, guest] = world.script.calls.slice(-2);
  assertEquals(host, {
    call: "vm Add",
    argument: {
      ResourcePath: `VirtualMachine/Devices/NetworkAdapters/${id}`,
      RequestType: "Add",
      Settings: { EndpointId: "e1", MacAddress: "00-15-5D-00-00-05" },
    },
  });
  assertEquals(guest, {
    call: "guest Add",
    argument: {
      ResourceType: "Network",
      RequestType: "Add",
      Settings: {
        NamespaceID: namespaceId,
        ID: id,
        MacAddress: "00-15-5D-00-00-05",
        IPConfigs: [{ IPAddress: "10.0.0.5", PrefixLength: 24 }],
      },
    },
  });
  assertEquals(network.state, "Configured");
});

Deno.test("host:H9 host:H15 a guest that does not take adapters is told of neither Add nor Remove", async () => {
  for (const capabilities of silentGuests) {
    const { world, network } = newNetwork(1, new NetworkWorld(capabilities));
    await network.setup();
    assertEquals(world.said().slice(2), ["vm Add e1"]);
    await network.teardown();
    assertEquals(world.said(), ["vm Remove e1"]);
    assertEquals([network.state, world.isEmpty], ["TornDown", true]);
  }
});

Deno.test("host:H10 an adapter that the host refuses is not tracked", async () => {
  const { world, network } = newNetwork(2);
  world.script.failNext("vm Add", injected);
  const error = await assertRejects(() => network.setup());
  assertEquals([error, network.state, network.adapters], [
    injected,
    "Invalid",
    [],
  ]);
  assertEquals(world.said().at(-1), "vm Add e1"); // nobody else is asked
  await network.teardown();
  assertEquals([network.state, world.said()], ["TornDown", []]);
});

Deno.test("host:H20 an adapter that the guest refused is unwound by teardown()", async () => {
  const { world, network } = newNetwork(2);
  world.script.failNext("guest Add", injected);
  assertEquals(await assertRejects(() => network.setup()), injected);
  assertEquals([network.state, network.adapters.length], ["Invalid", 1]);
  world.said();
  await network.teardown();
  assertEquals(world.said(), ["guest Remove", "vm Remove e1"]);
  assertEquals([network.state, world.isEmpty], ["TornDown", true]);
});

Deno.test("setup() looks the namespace up once, then its endpoints in order, and begins with eth0", async () => {
  const world = NetworkWorld.with(
    fakeEndpoint("e1"),
    fakeEndpoint("e2", { name: "pod_eth0" }),
    fakeEndpoint("e3"),
  );
  await networkOf(world).setup();
  assertEquals(world.said(), [
    `namespace ${namespaceId}`,
    "endpoint e1",
    "endpoint e2",
    "endpoint e3",
    "vm Add e2",
    "guest Add",
    "vm Add e1",
    "guest Add",
    "vm Add e3",
    "guest Add",
  ]);
});

Deno.test("setup() of a namespace without endpoints adds nothing", async () => {
  const { world, network } = newNetwork(0);
  await network.setup();
  assertEquals(world.said(), [`namespace ${namespaceId}`]);
  await network.teardown();
  assertEquals([network.state, world.said()], ["TornDown", []]);
});

Deno.test("setup() fails with NotFound for an unknown namespace or endpoint", async () => {
  const world = new NetworkWorld();
  const unknown = await assertRejects(
    () => networkOf(world).setup(),
    ShimError,
    `Namespace ID "${namespaceId}" not found`,
  );
  assertEquals(classify(unknown), "NotFound");
  world.host.add(namespaceId, fakeEndpoint("e1"));
  const gone = new ShimError("NotFound", 'Endpoint ID "e1" not found');
  world.script.failNext("endpoint", gone);
  assertEquals(await assertRejects(() => networkOf(world).setup()), gone);
  assertEquals(world.isEmpty, true);
});

Deno.test("the guest is told the namespace of the endpoint, or else that of the pod", async () => {
  const world = NetworkWorld.with(
    fakeEndpoint("e1", { namespaceId: "A0-OF-THE-ENDPOINT" }),
    fakeEndpoint("e2", { namespaceId: "" }),
  );
  await networkOf(world).setup();
  assertEquals([...world.guestAdapters.values()], [
    "A0-OF-THE-ENDPOINT",
    namespaceId,
  ]);
});

Deno.test("every adapter is told of policy-based routing", async () => {
  const world = NetworkWorld.with(fakeEndpoint("e1"));
  await networkOf(world, true).setup();
  const { argument } = world.script.of("guest Add")[0]!;
  const { Settings } = argument as { Settings: Record<string, unknown> };
  assertEquals(Settings["PolicyBasedRouting"], true);
});

Deno.test("an endpoint that cannot be told to the guest leaves what teardown() takes back", async () => {
  const policies = [{ type: "EncapOverhead", settings: { Overhead: "x" } }];
  const world = NetworkWorld.with(fakeEndpoint("e1", { policies }));
  const network = networkOf(world);
  const error = await assertRejects(() => network.setup(), ShimError);
  assertEquals([error.code, network.state], ["InvalidArgument", "Invalid"]);
  assertEquals(world.said().slice(2), ["vm Add e1"]);
  await network.teardown();
  assertEquals(world.isEmpty, true);
});
