import { assertEquals } from "@std/assert";
import { classify, ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { bridgeClosed } from "../../bridge/errors.ts";
import { FaultPlan } from "../testing/fault_plan.ts";
import { NetworkController } from "./controller.ts";
import {
  fakeEndpoint,
  namespaceId,
  networkOf,
  NetworkWorld,
} from "./testing.ts";

/** How a call can fail. What never answers fails by the deadline of its port. */
const faults: Record<string, Error> = {
  "an error": new ShimError("PermissionDenied", "injected"),
  "gone already": new HResultError(HResult.ElementNotFound, "injected"),
  "bridge closed": bridgeClosed("injected"),
  "VM exited": new HResultError(HResult.SystemAlreadyStopped, "injected"),
  "no answer": new DOMException("injected", "TimeoutError"),
};

interface Point {
  readonly network: NetworkController;
  readonly world: NetworkWorld;
  readonly plan: FaultPlan;
}

/** A network whose n-th call fails; 0 is none. */
function point(failAt: number, error: Error): Point {
  const plan = new FaultPlan(failAt, error);
  const world = NetworkWorld.with(
    fakeEndpoint("e1"),
    fakeEndpoint("e2", { name: "eth0" }),
  );
  const network = new NetworkController({
    host: plan.wrap(world.host, ["namespace", "endpoint"]),
    vm: plan.wrap(world.vm, ["modify"]),
    guest: plan.wrap(world.guest, ["modify"]),
    log: world.log,
  }, { namespaceId, policyBasedRouting: false });
  return { network, world, plan };
}

/** Calls of a setup, and of a setup with its teardown. */
async function count(): Promise<{ setup: number; all: number }> {
  const { network, plan } = point(0, new Error());
  await network.setup();
  const setup = plan.calls;
  await network.teardown();
  return { setup, all: plan.calls };
}

/** A new network of the same namespace comes and goes as if nothing had been. */
async function again(world: NetworkWorld): Promise<void> {
  const network = networkOf(world);
  await network.setup();
  await network.teardown();
  assertEquals([network.state, world.isEmpty], ["TornDown", true]);
}

Deno.test("every call that fails gives its class, leaves nothing, and the next network succeeds", async () => {
  const { setup, all } = await count();
  let points = 0;
  for (const [what, error] of Object.entries(faults)) {
    for (let failAt = 1; failAt <= all; failAt++) {
      const where = `${what} at call ${failAt} of ${all}`;
      const { network, world, plan } = point(failAt, error);
      points++;
      let failed: unknown;
      try {
        await network.setup();
        assertEquals(failAt > setup, true, where);
        await network.teardown();
        // Only what is gone may be passed over; the fake still has it, then.
        assertEquals(what === "an error" || what === "no answer", false, where);
        world.vmAdapters.clear();
        world.guestAdapters.clear();
      } catch (thrown) {
        failed = thrown;
      }
      assertEquals(plan.failed === undefined, false, where);
      if (failed !== undefined) {
        assertEquals(classify(failed), classify(error), where);
        assertEquals(network.state, "Invalid", where);
      }
      await network.teardown();
      assertEquals(
        [network.state, network.adapters, world.isEmpty],
        ["TornDown", [], true],
        where,
      );
      await again(world);
    }
  }
  console.log(`network: ${points} fault points`);
});
