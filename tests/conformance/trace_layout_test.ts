import { assertEquals } from "@std/assert";
import { objectsOf } from "./json.ts";
import { layOutOwn, layOutShim } from "./trace_layout.ts";

const frame = (name: string, payload: Record<string, string | number>) => ({
  log: "bridge",
  dir: "host->guest",
  name,
  payload: { ...payload, ActivityId: "<guid-9>", otsc: {} },
});
const call = (seq: number, method: string) => ({
  log: "ttrpc",
  kind: "call",
  seq,
  method,
});
const reply = (seq: number, more: Record<string, unknown>) =>
  ({ log: "ttrpc", kind: "reply", seq, ...more }) as never;

Deno.test("requests belong to the call before them; waits to none", () => {
  const layout = layOutOwn([
    call(1, "Start"),
    {
      log: "host",
      fn: "HcsModifyComputeSystem",
      args: { id: "v", configuration: { $json: { Path: "<guid-4>" } } },
    },
    { log: "host", fn: "HcsGetComputeSystemProperties", args: {} },
    frame("Request(Start)", { ContainerId: "c" }),
    frame("Request(WaitForProcess)", { ProcessId: 7 }),
    reply(1, { response: { pid: 7, exited_at: "<unset-go-time>" } }),
  ]);
  assertEquals(layout, {
    calls: [{
      seq: 1,
      method: "Start",
      reply: { response: { pid: 7 } },
      host: [{ call: "modify", id: "v", configuration: { Path: "<guid-0>" } }],
      guest: [{ name: "Start", ContainerId: "c" }],
    }],
    events: {},
    waits: [{ ProcessId: 7 }],
  });
});

Deno.test("events have an order for each container", () => {
  const event = (id: string, topic: string) => ({
    log: "ttrpc",
    kind: "event",
    topic,
    event: { decoded: { container_id: id } },
  });
  const { events } = layOutOwn([
    event("a", "/1"),
    event("b", "/2"),
    event("a", "/3"),
  ]);
  assertEquals(events, {
    a: [{ topic: "/1", container_id: "a" }, { topic: "/3", container_id: "a" }],
    b: [{ topic: "/2", container_id: "b" }],
  });
});

/** The replies of both sides to one call. */
function replies(ours: string, theirs: string) {
  const trace = (code: string) => [
    call(1, "Kill"),
    reply(1, { error: { code, message: "m" } }),
  ];
  const own = layOutOwn(trace(ours) as never);
  const layout = layOutShim(trace(theirs) as never, own);
  return objectsOf(layout.calls)[0]!.reply;
}

Deno.test("a class that the peer gives is expected", () => {
  assertEquals(replies("NotFound", "Unimplemented"), {
    code: "NotImplemented",
    error: "m",
  });
  assertEquals(replies("NotFound", "Unknown"), {
    code: "NotFound",
    error: "m",
  });
});

Deno.test("a guest that only failed has no class", () => {
  const message = "guest RPC failure: x: E_FAIL (0x80004005)";
  const own = layOutOwn([
    call(1, "Kill"),
    reply(1, { error: { code: "Unknown", message } }),
  ]);
  assertEquals(objectsOf(own.calls)[0]!.reply, {
    code: "Unclassified",
    error: { code: "Unclassified", message },
  });
});

Deno.test("a VM that has ended is asked for nothing more", () => {
  const modify = { log: "host", fn: "HcsModifyComputeSystem", args: {} };
  const { calls } = layOutOwn([
    call(1, "Delete"),
    modify,
    { log: "host", event: "SystemExited" },
    modify,
  ]);
  assertEquals(objectsOf(calls)[0]!.host, [{ call: "modify" }]);
});

Deno.test("what failed on the recorder's machine alone is not compared", () => {
  const own = layOutOwn([call(1, "Stats"), reply(1, { response: { a: 1 } })]);
  const failed = { error: { code: "Unknown" }, environmentArtefact: true };
  const layout = layOutShim([call(1, "Stats"), reply(1, failed)], own);
  assertEquals(layout.calls, own.calls);
});
