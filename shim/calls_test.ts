import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
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
  const calls = new Calls(clock);
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

Deno.test("host:O11 wrapped handlers run from the outside in, and end from the inside out", async () => {
  const order: string[] = [];
  const clocks = ["outer", "inner"].map((name) => {
    const clock = new FakeClock();
    const now = clock.now.bind(clock);
    clock.now = () => {
      order.push(`${name} lists`);
      return now();
    };
    return clock;
  });
  const [outer, inner] = clocks.map((clock) => new Calls(clock)) as [
    Calls,
    Calls,
  ];
  const listed = (): number[] =>
    [outer, inner].map(({ underWay }) => underWay.length);
  const handlers: Handlers<typeof TaskV3> = {
    Start: ({ id }, { method }) => {
      order.push(`${method} of ${id}, listed ${listed()}`);
      if (id === "bad") return Promise.reject(new TypeError("it broke"));
      return Promise.resolve({ pid: 7 });
    },
  };
  const watched = inner.watch(handlers);
  const between: Handlers<typeof TaskV3> = {
    Start: async (request, context) => {
      order.push(`between, listed ${listed()}`);
      try {
        return await watched.Start!(request, context);
      } finally {
        order.push(`between again, listed ${listed()}`);
      }
    },
  };
  const tasks = new ServiceClient(TaskV3, outer.watch(between));
  const expected = (id: string): string[] => [
    "outer lists",
    "between, listed 1,0",
    "inner lists",
    `Start of ${id}, listed 1,1`,
    "between again, listed 1,0",
  ];
  assertEquals(await tasks.call("Start", { id: "web" }), { pid: 7 });
  assertEquals(order.splice(0), expected("web"));
  await assertRejects(
    () => tasks.call("Start", { id: "bad" }),
    TypeError,
    "it broke",
  );
  assertEquals(order, expected("bad"));
  assertEquals(listed(), [0, 0]);
});

Deno.test("a method without a handler stays without one", () => {
  assertEquals(Object.keys(new Calls(new FakeClock()).watch({})), []);
});
