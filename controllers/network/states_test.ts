import { assertEquals } from "@std/assert";
import { classify, type ShimError } from "../../base/errors.ts";
import { allowedPairs } from "../testing/state_table.ts";
import type { NetworkController } from "./controller.ts";
import { type NetworkState, networkStates } from "./states.ts";
import { injected, type NetworkScene, newNetwork } from "./testing.ts";

Deno.test("the table of a network allows these events, and no others", () => {
  assertEquals(allowedPairs(networkStates), [
    "Configured fail Invalid",
    "Configured teardown TornDown",
    "Invalid fail Invalid",
    "Invalid teardown TornDown",
    "NotConfigured fail Invalid",
    "NotConfigured setup Configured",
  ]);
});

/** How a network comes into a state, with two endpoints. */
const ways: Record<NetworkState, (scene: NetworkScene) => Promise<void>> = {
  NotConfigured: () => Promise.resolve(),
  Configured: ({ network }) => network.setup(),
  Invalid: async ({ network, world }) => {
    await network.setup();
    world.script.failNext("vm Remove", injected);
    await network.teardown().catch(() => {});
  },
  TornDown: async ({ network }) => {
    await network.setup();
    await network.teardown();
  },
};

/** What can happen to a network; `!` is with a failure. */
const events: Record<
  string,
  (network: NetworkController, scene: NetworkScene) => Promise<void>
> = {
  "setup": (network) => network.setup(),
  "setup!": (network, { world }) => {
    world.script.failNext("vm Add", injected);
    return network.setup();
  },
  "teardown": (network) => network.teardown(),
  "teardown!": (network, { world }) => {
    world.script.failNext("vm Remove", injected);
    return network.teardown();
  },
};

/** Where every pair leads: state, adapters that are left, and the answer. */
const outcomes: [from: NetworkState, event: string, leads: string][] = [
  ["NotConfigured", "setup", "Configured 2 ok"],
  ["NotConfigured", "setup!", "Invalid 0 Internal"],
  ["NotConfigured", "teardown", "NotConfigured 0 ok"],
  ["NotConfigured", "teardown!", "NotConfigured 0 ok"],
  ["Configured", "setup", "Configured 2 FailedPrecondition"],
  ["Configured", "setup!", "Configured 2 FailedPrecondition"],
  ["Configured", "teardown", "TornDown 0 ok"],
  ["Configured", "teardown!", "Invalid 1 Internal"],
  ["Invalid", "setup", "Invalid 1 FailedPrecondition"],
  ["Invalid", "setup!", "Invalid 1 FailedPrecondition"],
  ["Invalid", "teardown", "TornDown 0 ok"],
  ["Invalid", "teardown!", "Invalid 1 Internal"],
  ["TornDown", "setup", "TornDown 0 FailedPrecondition"],
  ["TornDown", "setup!", "TornDown 0 FailedPrecondition"],
  ["TornDown", "teardown", "TornDown 0 ok"],
  ["TornDown", "teardown!", "TornDown 0 ok"],
];

Deno.test("every event in every state leads where the table says, and leaks nothing", async (t) => {
  assertEquals(
    outcomes.length,
    Object.keys(ways).length * Object.keys(events).length,
  );
  for (const [from, event, leads] of outcomes) {
    await t.step(`${from} ${event} → ${leads}`, async () => {
      const scene = newNetwork(2);
      const { network, world } = scene;
      await ways[from](scene);
      assertEquals(network.state, from);
      const answer = await events[event]!(network, scene).then(
        () => "ok",
        (error) => classify(error),
      );
      assertEquals(
        `${network.state} ${network.adapters.length} ${answer}`,
        leads,
      );
      assertEquals(world.vmAdapters.size, network.adapters.length);
      // Whatever it was: at most one failure is still to come, then it is over.
      await network.teardown().catch((error: ShimError) =>
        assertEquals(error.code, "Internal")
      );
      await network.teardown();
      assertEquals(world.isEmpty, true);
    });
  }
});
