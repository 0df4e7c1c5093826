import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { noTracer } from "../base/trace.ts";
import { TaskV3 } from "../ttrpc/api/task.gen.ts";
import type { Handlers } from "../ttrpc/handlers.ts";
import { Calls } from "./calls.ts";
import { FakeCall } from "./fake_shim.ts";
import { ServiceClient } from "./services/fake_client.ts";

const service = TaskV3.name;

/** A client of watched handlers. */
function scene(handlers: Handlers<typeof TaskV3>): {
  clock: FakeClock;
  calls: Calls;
  tasks: ServiceClient<typeof TaskV3>;
} {
  const clock = new FakeClock();
  const calls = new Calls({
    clock,
    tracer: noTracer,
    sandboxOf: () => undefined,
  });
  const tasks = new ServiceClient(TaskV3, calls.watch(handlers));
  return { clock, calls, tasks };
}

Deno.test("a call is listed with its ids until it is answered", async () => {
  const held = Promise.withResolvers<{ pid: number }>();
  const { clock, calls, tasks } = scene({ Start: () => held.promise });
  const since = clock.now();
  const started = tasks.call("Start", { id: "web", execId: "probe" });
  await clock.advance(1000);
  assertEquals(calls.underWay, [{
    service,
    method: "Start",
    ids: ["web", "probe"],
    since,
    hasClient: true,
  }]);
  held.resolve({ pid: 7 });
  assertEquals(await started, { pid: 7 });
  assertEquals(calls.underWay, []);
});

Deno.test("a call whose client is gone is listed while it goes on, and not once it has failed", async () => {
  const held = Promise.withResolvers<{ pid: number }>();
  const { calls, tasks } = scene({ Start: () => held.promise });
  const call = new FakeCall(service, "Start");
  const started = tasks.call("Start", { id: "web" }, call);
  call.disconnect();
  assertEquals(calls.underWay.map(({ hasClient }) => hasClient), [false]);
  held.reject(new TypeError("it broke"));
  await assertRejects(() => started, TypeError, "it broke");
  assertEquals(calls.underWay, []);
});

Deno.test("a method without a handler stays without one", () => {
  assertEquals(Object.keys(scene({}).calls.watch({})), []);
});
