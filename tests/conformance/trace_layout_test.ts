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

Deno.test("a container that only we have created is one step with its delete, and leaves nothing", () => {
  const modify = (RequestType: string) => ({
    log: "host",
    fn: "HcsModifyComputeSystem",
    args: {
      id: "v",
      configuration: { $json: { ResourcePath: "Scsi/2", RequestType } },
    },
  });
  const event = (topic: string) => ({
    log: "ttrpc",
    kind: "event",
    topic,
    event: { decoded: { container_id: "c" } },
  });
  const layout = layOutOwn([
    event("/tasks/delete"), // of an earlier life
    call(1, "Create"),
    modify("Add"),
    frame("Request(Create)", { ContainerId: "c" }),
    reply(1, { response: {} }),
    event("/tasks/create"),
    { log: "undo", seq: 1, id: "c" },
    frame("Request(DeleteContainerState)", { ContainerId: "c" }),
    modify("Remove"),
    event("/tasks/delete"),
    { log: "undone", seq: 1, response: {} },
  ]);
  assertEquals(layout, {
    calls: [{
      seq: 1,
      method: "Create",
      reply: { response: {} },
      host: [],
      guest: [],
      undone: {
        reply: { response: {} },
        wasCreated: true,
        left: [],
        events: ["/tasks/create", "/tasks/delete"],
      },
    }],
    events: { c: [{ topic: "/tasks/delete", container_id: "c" }] },
    waits: [],
  });
});

Deno.test("shares are numbered by their first appearance", () => {
  const share = (name: string) => ({
    log: "host",
    fn: "HcsModifyComputeSystem",
    args: {
      configuration: { $json: { Settings: { Name: name, AccessName: name } } },
    },
  });
  const mount = (name: string) => ({
    log: "bridge",
    dir: "host->guest",
    name: "Request(ModifySettings)",
    payload: {
      ShareName: name,
      MountPath: `/run/mounts/plan9/${name}`,
      source: `/run/mounts/plan9/${name}/a.ini`,
      Name: name, // of something else
    },
  });
  const layout = (first: string, second: string) =>
    objectsOf(
      layOutOwn([
        call(1, "Create"),
        share(first),
        mount(first),
        share(second),
      ]).calls,
    )[0]!;
  const { host, guest } = layout("3", "7");
  assertEquals(host, layout("0", "1").host);
  assertEquals(objectsOf(guest)[0], {
    name: "ModifySettings",
    ShareName: "0",
    MountPath: "/run/mounts/plan9/0",
    source: "/run/mounts/plan9/0/a.ini",
    Name: "3",
  });
});

Deno.test("the order of listed tasks and the host's stacks are free", () => {
  const answer = (response: Record<string, unknown>) =>
    objectsOf(
      layOutOwn([call(1, "DiagTasks"), reply(1, { response })]).calls,
    )[0]!.reply;
  assertEquals(answer({ tasks: [{ id: "b" }, { id: "a" }] }), {
    response: { tasks: [{ id: "a" }, { id: "b" }] },
  });
  assertEquals(answer({ stacks: "sandbox pod1" }), {
    response: { stacks: "<host-stacks>" },
  });
});
