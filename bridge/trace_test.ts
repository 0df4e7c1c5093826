import { assertEquals, assertRejects } from "@std/assert";
import { memoryPair } from "../base/duplex.ts";
import { jsonLogger, type Logger, silentLogger } from "../base/log.ts";
import { type FinishedSpan, SpanTracer } from "../base/spans.ts";
import { GuestConnection } from "./connection.ts";
import { fakeHandlers } from "./fake_handlers.ts";
import type { GuestHandlers } from "./handlers.ts";
import { requestTypes } from "./message_types.ts";
import { openScripted as open, ScriptedPeer } from "./scripted_peer.ts";
import { GuestBridge } from "./server.ts";

/** One side of the bridge with its spans and its log. */
class Side {
  readonly tracer = new SpanTracer();
  readonly ended: FinishedSpan[] = [];
  readonly lines: Record<string, unknown>[] = [];
  readonly log: Logger = jsonLogger(
    (line) => this.lines.push(JSON.parse(line)),
    { current: () => this.tracer.fields() },
  );

  constructor() {
    this.tracer.onEnd((span) => this.ended.push(span));
  }

  span(name: string): FinishedSpan {
    return this.ended.find((span) => span.name === name)!;
  }

  /** Trace, span and container of the line with this text. */
  idsOf(msg: string): unknown[] {
    const line = this.lines.find((line) => line["msg"] === msg);
    return [line?.["trace_id"], line?.["span_id"], line?.["cid"]];
  }
}

/** Host and guest, joined in memory. */
async function joined(handlers: Partial<GuestHandlers>): Promise<{
  host: Side;
  guest: Side;
  connection: GuestConnection;
  served: Promise<unknown>;
}> {
  const host = new Side();
  const guest = new Side();
  const [near, far] = memoryPair();
  const bridge = new GuestBridge(fakeHandlers(handlers), guest);
  const served = bridge.serve(far);
  const connection = await GuestConnection.open(near, host);
  return { host, guest, connection, served };
}

Deno.test("host:M19 the guest's work on a call is in the trace of the host, and so are its log lines", async () => {
  const sides: { guest?: Side } = {};
  const { host, guest, connection, served } = await joined({
    Start: async () => {
      await Promise.resolve();
      sides.guest!.log.info("Starting");
    },
  });
  sides.guest = guest;
  await host.tracer.span(
    "rpc",
    "Start",
    {},
    () => connection.call("Start", "web", {}),
  );
  const call = host.ended.find(({ kind, name }) =>
    kind === "bridge" && name === "Start"
  )!;
  assertEquals(call.attributes, { cid: "web" });
  const work = guest.span("Start");
  assertEquals(work.kind, "guest");
  assertEquals(work.parent, call.context);
  const { traceId, spanId } = work.context;
  assertEquals(traceId, host.ended.at(-1)?.context.traceId);
  assertEquals(guest.idsOf("Starting"), [traceId, spanId, "web"]);
  await connection.close();
  await served;
});

Deno.test("a failed call is told on both sides with the trace that it is part of", async () => {
  const { host, guest, connection, served } = await joined({
    Start: () => Promise.reject(new TypeError("it broke")),
  });
  await host.tracer.span("rpc", "Start", {}, async () => {
    // What reads the answer runs outside of this span.
    await assertRejects(() => connection.call("Start", "web", {}));
  });
  const call = host.span("Start");
  const work = guest.span("Start");
  assertEquals(call.error === undefined, false);
  assertEquals(work.error === undefined, false);
  const { traceId } = host.ended.at(-1)!.context;
  assertEquals(host.idsOf("Guest call failed"), [
    traceId,
    call.context.spanId,
    "web",
  ]);
  assertEquals(guest.idsOf("Call crashed"), [
    traceId,
    work.context.spanId,
    "web",
  ]);
  await connection.close();
  await served;
});

Deno.test("a span names the process that its call is about", async () => {
  const { host, connection, served } = await joined({
    SignalProcess: () => Promise.resolve(),
  });
  const body = { ProcessId: 7, Options: { Signal: 9 } };
  await connection.call("SignalProcess", "web", body);
  assertEquals(host.span("SignalProcess").attributes, { cid: "web", pid: 7 });
  await connection.close();
  await served;
});

Deno.test("host:M18 host:M19 requests carry the trace headers of their span", async () => {
  const tracer = new SpanTracer();
  const spans: FinishedSpan[] = [];
  tracer.onEnd((span) => spans.push(span));
  const { connection, guest } = await open({ tracer });
  const otsc = async (): Promise<unknown> => {
    const call = connection.call("Start", "web", {});
    const request = await guest.receive();
    await guest.answer(request);
    await call;
    return request.body["otsc"];
  };
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  for (const tracestate of ["", "a=1,b=2"]) {
    const caller = {
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
      tracestate,
    };
    const sent = await tracer.span("rpc", "Start", {}, otsc, caller);
    const { spanId } = spans.at(-2)!.context;
    assertEquals(sent, {
      traceparent: `00-${traceId}-${spanId}-01`,
      ...(tracestate !== "" && { tracestate }),
    });
  }
  assertEquals(spans.map(({ kind, name }) => `${kind}.${name}`), [
    "bridge.NegotiateProtocol",
    "bridge.Start",
    "rpc.Start",
    "bridge.Start",
    "rpc.Start",
  ]);
  await connection.close();
});

Deno.test("host:M18 requests without a tracer carry no trace context", async () => {
  const { connection, guest } = await open({});
  const call = connection.call("Start", "web", {});
  const request = await guest.receive();
  assertEquals(Object.keys(request.body), ["ContainerId", "ActivityId"]);
  await guest.answer(request);
  await call;
  await connection.close();
});

Deno.test("host:M18 the negotiation carries no trace context", async () => {
  const tracer = new SpanTracer();
  const [ours, theirs] = memoryPair();
  const guest = new ScriptedPeer(theirs);
  const opening = tracer.span(
    "rpc",
    "StartSandbox",
    {},
    () => GuestConnection.open(ours, { log: silentLogger, tracer }),
  );
  const request = await guest.receive();
  assertEquals(request.type, requestTypes.NegotiateProtocol);
  assertEquals("otsc" in request.body, false);
  await guest.answer(request, {
    Version: 4,
    Capabilities: { GuestDefinedCapabilities: {} },
  });
  await (await opening).close();
});

Deno.test("a call that is lost with its bridge is not told as a failed one", async () => {
  const held = Promise.withResolvers<void>();
  const { host, connection, served } = await joined({
    Start: () => held.promise,
  });
  const lost = assertRejects(() => connection.call("Start", "web", {}));
  await connection.close();
  await lost;
  assertEquals(host.lines, []);
  assertEquals(host.span("Start").error === undefined, false);
  held.resolve();
  await served;
});
