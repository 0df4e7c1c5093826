import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { jsonLogger } from "./log.ts";
import { type FinishedSpan, logSpans, SpanTracer } from "./spans.ts";

const caller = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "a=1",
};

/** A tracer with what it told, and a clock that the test sets. */
class Scene {
  now = 1000;
  readonly ended: FinishedSpan[] = [];
  readonly tracer = new SpanTracer({
    time: { now: () => this.now, elapsed: () => this.now },
  });

  constructor() {
    this.tracer.onEnd((span) => this.ended.push(span));
  }
}

Deno.test("a span within a span is in its trace, and ends before it", async () => {
  const { tracer, ended } = new Scene();
  await tracer.span("rpc", "Create", {}, async () => {
    await Promise.resolve();
    await tracer.span("hcs", "modify", {}, () => Promise.resolve());
  });
  const [inner, outer] = ended as [FinishedSpan, FinishedSpan];
  assertEquals([inner.name, outer.name], ["modify", "Create"]);
  assertMatch(outer.context.traceId, /^[0-9a-f]{32}$/);
  assertMatch(outer.context.spanId, /^[0-9a-f]{16}$/);
  assertEquals(outer.parent, undefined);
  assertEquals(inner.parent, outer.context);
  assertEquals(inner.context.traceId, outer.context.traceId);
});

Deno.test("spans side by side have traces of their own", async () => {
  const { tracer, ended } = new Scene();
  const one = (name: string): Promise<void> =>
    tracer.span("rpc", name, {}, async () => {
      await Promise.resolve();
      await tracer.span("hcs", `${name}/call`, {}, () => Promise.resolve());
    });
  await Promise.all([one("a"), one("b")]);
  const trace = new Map(ended.map(({ name, context }) => [name, context]));
  assertEquals(trace.get("a/call")?.traceId, trace.get("a")?.traceId);
  assertEquals(trace.get("b/call")?.traceId, trace.get("b")?.traceId);
  assertEquals(trace.get("a")?.traceId === trace.get("b")?.traceId, false);
});

Deno.test("a span goes on with the trace of another process, and hands it on", async () => {
  const { tracer, ended } = new Scene();
  let headers: unknown;
  await tracer.span("rpc", "Create", {}, async () => {
    await tracer.span("bridge", "Start", {}, () => {
      headers = tracer.headers();
      return Promise.resolve();
    });
  }, caller);
  const [inner, outer] = ended as [FinishedSpan, FinishedSpan];
  assertEquals(outer.parent?.spanId, "b7ad6b7169203331");
  const { traceId, spanId } = inner.context;
  assertEquals(traceId, "0af7651916cd43dd8448eb211c80319c");
  const traceparent = `00-${traceId}-${spanId}-01`;
  assertEquals(headers, { traceparent, tracestate: "a=1" });
  assertEquals(tracer.headers(), undefined);
});

Deno.test("headers that say nothing leave the current span the parent", async () => {
  const { tracer, ended } = new Scene();
  await tracer.span("rpc", "Create", {}, async () => {
    const empty = { traceparent: "", tracestate: "" };
    await tracer.span("guest", "Start", {}, () => Promise.resolve(), empty);
  });
  assertEquals(ended[0]?.parent, ended[1]?.context);
});

Deno.test("a span tells its duration and what was thrown, synchronously too", async () => {
  const scene = new Scene();
  const error = new TypeError("it broke");
  await assertRejects(
    () =>
      scene.tracer.span("hcs", "modify", {}, () => {
        scene.now += 250;
        throw error;
      }),
    TypeError,
    "it broke",
  );
  const [span] = scene.ended;
  assertEquals(span?.startedAt, 1000);
  assertEquals(span?.duration, 250);
  assertEquals(span?.error, { thrown: error });
});

Deno.test("fields() has the ids of the span and of those around it", async () => {
  const { tracer, ended } = new Scene();
  let fields: unknown;
  const ids = { "sandbox-id": "pod1", cid: "web", other: 1 };
  await tracer.span("rpc", "Exec", ids, async () => {
    await tracer.span("bridge", "Execute", { cid: "db", eid: "e" }, () => {
      fields = tracer.fields();
      return Promise.resolve();
    });
  });
  const { traceId, spanId } = ended[0]!.context;
  assertEquals(fields, {
    trace_id: traceId,
    span_id: spanId,
    "sandbox-id": "pod1",
    cid: "db",
    eid: "e",
  });
});

Deno.test("work that goes on behind its span has the fields of the span around it, then none", async () => {
  const { tracer, ended } = new Scene();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const seen: unknown[] = [];
  let work = Promise.resolve();
  await tracer.span("rpc", "Start", {}, async () => {
    await tracer.span("vm", "boot", {}, () => {
      work = (async () => {
        await first.promise;
        seen.push(tracer.fields()?.["span_id"]);
        await second.promise;
        seen.push(tracer.fields());
      })();
      return Promise.resolve();
    });
    first.resolve();
    await Promise.resolve().then(() => {});
  });
  second.resolve();
  await work;
  assertEquals(seen, [ended[1]?.context.spanId, undefined]);
});

Deno.test("an exporter gives the ids and is told of the end", async () => {
  const told: unknown[] = [];
  const tracer = new SpanTracer({
    exporter: {
      start: ({ name, parent }) => ({
        context: { traceId: parent?.traceId ?? "t", spanId: name },
        end: ({ name }) => told.push(name),
      }),
    },
  });
  let headers: unknown;
  await tracer.span("rpc", "s", {}, () => {
    headers = tracer.headers();
    return Promise.resolve();
  });
  assertEquals(headers, { traceparent: "00-t-s-01" });
  assertEquals(told, ["s"]);
});

Deno.test("logSpans() writes a line per span, which names its own ids", async () => {
  const scene = new Scene();
  const lines: Record<string, unknown>[] = [];
  const log = jsonLogger((line) => lines.push(JSON.parse(line)), {
    level: "debug",
    now: () => 0,
    current: () => scene.tracer.fields(),
  });
  scene.tracer.onEnd(logSpans(log));
  await assertRejects(() =>
    scene.tracer.span("rpc", "Create", { cid: "web" }, async () => {
      await scene.tracer.span("hcs", "modify", { "uvm-id": "v" }, () => {
        scene.now += 1.23456;
        return Promise.reject(new Error("no"));
      });
    })
  );
  const [inner, outer] = scene.ended as [FinishedSpan, FinishedSpan];
  assertEquals(lines.length, 2);
  assertEquals(lines[0], {
    time: "1970-01-01T00:00:00.000Z",
    level: "debug",
    msg: "Span",
    trace_id: outer.context.traceId,
    span_id: inner.context.spanId,
    parent_span_id: outer.context.spanId,
    cid: "web",
    kind: "hcs",
    name: "modify",
    "uvm-id": "v",
    started: "1970-01-01T00:00:01.000Z",
    duration_ms: 1.235,
    error: "no",
  });
});

Deno.test("SpanTracer lists the spans that have not ended, oldest first", async () => {
  const tracer = new SpanTracer({
    time: { now: () => 1000, elapsed: () => 0 },
  });
  const held = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<void>();
  const outer = tracer.span("vm", "boot", { "uvm-id": "a@vm" }, async () => {
    await tracer.span("hcs", "start", {}, () => held.promise);
    await failed.promise;
  });
  assertEquals(
    tracer.open().map(({ kind, name, attributes, startedAt }) => ({
      ...{ kind, name, attributes, startedAt },
    })),
    [
      {
        kind: "vm",
        name: "boot",
        attributes: { "uvm-id": "a@vm" },
        startedAt: 1000,
      },
      { kind: "hcs", name: "start", attributes: {}, startedAt: 1000 },
    ],
  );
  held.resolve();
  await held.promise;
  failed.reject(new Error("injected"));
  await assertRejects(() => outer, Error, "injected");
  assertEquals(tracer.open(), []);
});
