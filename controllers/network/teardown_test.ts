import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { bridgeClosed } from "../../bridge/errors.ts";
import {
  configuredNetwork,
  injected,
  namespaceId,
  newNetwork,
} from "./testing.ts";

Deno.test("host:H5 host:H6 teardown() does nothing before a setup and after a teardown", async () => {
  const { world, network } = newNetwork();
  await network.teardown();
  assertEquals([network.state, world.said()], ["NotConfigured", []]);
  await network.setup();
  await network.teardown();
  world.said();
  await network.teardown();
  assertEquals([network.state, world.said()], ["TornDown", []]);
});

Deno.test("host:H11 host:H17 teardown() removes from the guest, then from the host, and is TornDown", async () => {
  const { world, network } = await configuredNetwork(2);
  const [first] = network.adapters;
  await network.teardown();
  const [guest, host] = world.script.calls;
  assertEquals(guest?.argument, {
    ResourceType: "Network",
    RequestType: "Remove",
    Settings: { NamespaceID: namespaceId, ID: first?.id },
  });
  assertEquals(host?.argument, {
    ResourcePath: `VirtualMachine/Devices/NetworkAdapters/${first?.id}`,
    RequestType: "Remove",
    Settings: { EndpointId: "e1", MacAddress: "00-15-5D-00-00-05" },
  });
  assertEquals(world.said(), [
    "guest Remove",
    "vm Remove e1",
    "guest Remove",
    "vm Remove e2",
  ]);
  assertEquals([network.state, network.adapters, world.isEmpty], [
    "TornDown",
    [],
    true,
  ]);
});

Deno.test("host:H12 an adapter that the guest does not let go stays on the host", async () => {
  const { world, network } = await configuredNetwork();
  world.script.failNext("guest Remove", injected);
  assertEquals(await assertRejects(() => network.teardown()), injected);
  assertEquals(world.said(), ["guest Remove"]);
  assertEquals([network.state, network.adapters.length], ["Invalid", 1]);
});

/** A guest that has nothing to let go any more. */
const goneGuests: [id: string, what: string, error: Error][] = [
  ["host:H13 ", "whose bridge is closed", bridgeClosed("Cannot call it")],
  [
    "host:H14 ",
    "that cannot be connected to",
    new ShimError("Unavailable", "guest connection is not available"),
  ],
  [
    "",
    "that does not know the adapter",
    new HResultError(HResult.ElementNotFound, "guest RPC failure"),
  ],
];

for (const [id, what, error] of goneGuests) {
  Deno.test(`${id}an adapter is removed on the host for a guest ${what}`, async () => {
    const { world, network } = await configuredNetwork();
    world.script.failNext("guest Remove", error);
    await network.teardown();
    assertEquals(world.said(), ["guest Remove", "vm Remove e1"]);
    assertEquals([network.state, world.vmAdapters.size], ["TornDown", 0]);
  });
}

Deno.test("host:H16 a VM that is gone has no adapters left to remove", async () => {
  for (
    const code of [
      HResult.SystemNotFound,
      HResult.ElementNotFound,
      HResult.SystemAlreadyStopped,
      HResult.InvalidState,
      HResult.InvalidHandle,
    ]
  ) {
    const { world, network } = await configuredNetwork();
    world.script.failNext("vm Remove", new HResultError(code, "Modify"));
    await network.teardown();
    assertEquals([network.state, network.adapters], ["TornDown", []]);
  }
});

Deno.test("host:H18 teardown() removes the others when one fails, and reports that one", async () => {
  const { world, network } = await configuredNetwork(3);
  world.script.failNext("guest Remove", injected);
  assertEquals(await assertRejects(() => network.teardown()), injected);
  assertEquals(world.said(), [
    "guest Remove",
    "guest Remove",
    "vm Remove e2",
    "guest Remove",
    "vm Remove e3",
  ]);
  assertEquals(network.adapters.map(({ endpoint }) => endpoint.id), ["e1"]);
});

Deno.test("the error of several adapters has the class of the first and the texts of all", async () => {
  const { world, network } = await configuredNetwork(3);
  world.script.failNext("guest Remove", new Error("one, unclassified"));
  world.script.failNext(
    "guest Remove",
    new ShimError("PermissionDenied", "two"),
  );
  world.script.failNext("vm Remove", new ShimError("Internal", "three"));
  const error = await assertRejects(() => network.teardown(), ShimError);
  assertEquals([error.code, error.message], [
    "Unknown",
    `Cannot remove 3 adapters of network "${namespaceId}": one, unclassified; two; three`,
  ]);
  assertEquals((error.cause as AggregateError).errors.length, 3);
});

Deno.test("host:H19 host:H21 a removal that the host refuses is Invalid, and the retry succeeds", async () => {
  const { world, network } = await configuredNetwork(2);
  world.script.failNext("vm Remove", injected);
  assertEquals(await assertRejects(() => network.teardown()), injected);
  assertEquals([network.state, network.adapters.length], ["Invalid", 1]);
  world.said();
  await network.teardown();
  assertEquals(world.said(), ["vm Remove e1"]); // the guest has let go before
  assertEquals([network.state, world.isEmpty], ["TornDown", true]);
});

Deno.test("a retry tells the guest again when the guest had refused", async () => {
  const { world, network } = await configuredNetwork();
  world.script.failNext("guest Remove", injected);
  await assertRejects(() => network.teardown());
  world.said();
  await network.teardown();
  assertEquals(world.said(), ["guest Remove", "vm Remove e1"]);
});
