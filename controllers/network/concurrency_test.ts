import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { configuredNetwork, newNetwork } from "./testing.ts";

Deno.test("setup() whose client is gone before it begins leaves a network that can be set up", async () => {
  const { world, network } = newNetwork();
  const gone = AbortSignal.abort(new ShimError("Canceled", "nobody waits"));
  await assertRejects(() => network.setup(gone), ShimError, "nobody waits");
  assertEquals([network.state, world.said()], ["NotConfigured", []]);
  await network.setup();
  assertEquals(network.state, "Configured");
});

Deno.test("setup() whose client goes away meanwhile finishes the adapter and adds no other", async () => {
  const { world, network } = newNetwork(2);
  const client = new AbortController();
  const release = world.script.holdNext("vm Add");
  const setup = network.setup(client.signal);
  await release.reached;
  client.abort(new ShimError("Canceled", "nobody waits"));
  release();
  await assertRejects(() => setup, ShimError, "nobody waits");
  assertEquals([network.state, world.guestAdapters.size], ["Invalid", 1]);
  await network.teardown();
  assertEquals(world.isEmpty, true);
});

Deno.test("teardown() waits for a setup under way, state and adapters do not", async () => {
  const { world, network } = newNetwork();
  const release = world.script.holdNext("guest Add");
  const setup = network.setup();
  const teardown = network.teardown();
  await release.reached;
  assertEquals([network.state, network.adapters.length], ["NotConfigured", 1]);
  release();
  await Promise.all([setup, teardown]);
  assertEquals([network.state, world.isEmpty], ["TornDown", true]);
});

Deno.test("adapters is a copy, and names endpoints", async () => {
  const { network } = await configuredNetwork(2);
  const { adapters } = network;
  await network.teardown();
  assertEquals(adapters.map(({ endpoint }) => endpoint.id), ["e1", "e2"]);
});
