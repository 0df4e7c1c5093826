import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { type ErrorCode, ShimError } from "../base/errors.ts";
import { jsonLogger, type Logger, silentLogger } from "../base/log.ts";
import { type FinishedSpan, SpanTracer } from "../base/spans.ts";
import { noTracer, type Tracer } from "../base/trace.ts";
import { TaskV3 } from "../ttrpc/api/task.gen.ts";
import type { Handlers } from "../ttrpc/handlers.ts";
import { Calls } from "./calls.ts";
import { FakeCall } from "./fake_shim.ts";
import { ServiceClient } from "./services/fake_client.ts";

const service = TaskV3.name;

/** A client of watched handlers. */
function scene(
  handlers: Handlers<typeof TaskV3>,
  tracer: Tracer = noTracer,
  log: Logger = silentLogger,
): {
  clock: FakeClock;
  calls: Calls;
  tasks: ServiceClient<typeof TaskV3>;
} {
  const clock = new FakeClock();
  const calls = new Calls({
    clock,
    log,
    tracer,
    sandboxOf: (id) => id === "web" ? "pod1" : undefined,
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
  const [outer, inner] = clocks.map((clock) =>
    new Calls({
      clock,
      log: silentLogger,
      tracer: noTracer,
      sandboxOf: () => undefined,
    })
  ) as [Calls, Calls];
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
  assertEquals(Object.keys(scene({}).calls.watch({})), []);
});

Deno.test("a call is a span in the trace of its client, with the ids of its request", async () => {
  const tracer = new SpanTracer();
  const ended: FinishedSpan[] = [];
  tracer.onEnd((span) => ended.push(span));
  let fields: unknown;
  const { tasks } = scene({
    Start: () => {
      fields = tracer.fields();
      return Promise.resolve({ pid: 7 });
    },
    Kill: () => Promise.reject(new ShimError("NotFound", "no")),
  }, tracer);
  const call = new FakeCall(service, "Start");
  call.metadata = new Map([
    ["traceparent", [
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ]],
    ["tracestate", ["a=1", "b=2"]],
  ]);
  await tasks.call("Start", { id: "web", execId: "probe" }, call);
  await assertRejects(() => tasks.call("Kill", { id: "other" }));
  const [start, kill] = ended as [FinishedSpan, FinishedSpan];
  assertEquals([start.kind, start.name], [
    "rpc",
    "containerd.task.v3.Task/Start",
  ]);
  const ids = { "sandbox-id": "pod1", cid: "web", eid: "probe" };
  assertEquals(start.attributes, ids);
  assertEquals(start.parent, {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceState: "a=1,b=2",
  });
  assertEquals(fields, {
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: start.context.spanId,
    ...ids,
  });
  assertEquals([kill.parent, kill.attributes], [undefined, { cid: "other" }]);
  assertEquals((kill.error?.thrown as Error).message, "no");
});

Deno.test("a call that fails is one line with its ids: a warning, or debug for what happens every day", async () => {
  const cases: [
    method: keyof typeof TaskV3.methods,
    code: ErrorCode,
    level: string,
  ][] = [
    ["Create", "FailedPrecondition", "warn"],
    ["Create", "Canceled", "debug"],
    ["Start", "NotFound", "warn"],
    ["State", "NotFound", "debug"],
    ["State", "Internal", "warn"],
    ["Wait", "Canceled", "debug"],
    ["Wait", "Unavailable", "warn"],
    ["Kill", "NotFound", "debug"],
    ["Delete", "NotFound", "debug"],
    ["Delete", "FailedPrecondition", "warn"],
    ["Stats", "FailedPrecondition", "debug"],
  ];
  for (const [method, code, level] of cases) {
    const lines: string[] = [];
    const tracer = new SpanTracer();
    const log = jsonLogger((line) => lines.push(line), {
      level: "debug",
      current: () => tracer.fields(),
    });
    const fail = () => Promise.reject(new ShimError(code, "it broke"));
    const { tasks } = scene({ [method]: fail }, tracer, log);
    await assertRejects(() => tasks.call(method, { id: "web" }), ShimError);
    assertEquals(lines.length, 1);
    const { time: _time, trace_id: _trace, span_id: _span, ...line } = JSON
      .parse(lines[0]!);
    assertEquals(line, {
      level,
      msg: "Call failed",
      "sandbox-id": "pod1",
      cid: "web",
      rpc: `${service}/${method}`,
      code,
      error: "it broke",
    });
  }
});
