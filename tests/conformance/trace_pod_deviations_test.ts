import { assert, assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { tracePodDeviations } from "./trace_pod_deviations.ts";

/** The bundles of a pod `p` with a container `c`. */
const specs = ["p", "c"].map((id) => ({
  log: "input",
  name: `config.json of ${id}`,
  value: { annotations: { "io.kubernetes.cri.sandbox-id": "p" } },
}));

/** Traces of a sandbox `p` with a container `c`. */
function judged(calls: readonly (readonly [string, string, JsonObject])[]) {
  const events = calls.map(([method, id], seq) => ({
    log: "ttrpc",
    kind: "call",
    seq,
    method,
    request: { id, bundle: `C:\\bundles\\${id}` },
  }));
  const deleted = {
    topic: "/tasks/delete",
    pid: 7,
    exit_status: 9,
    exited_at: "<time>",
  };
  return {
    input: { events: [...specs, ...events] },
    output: {
      calls: calls.map(([method, , more], seq) => ({ seq, method, ...more })),
      events: { p: [deleted], c: [deleted] },
    },
    defects: [],
  };
}

/** The calls and events that the row expects. */
function expected(ours: string, trace: ReturnType<typeof judged>) {
  const row = tracePodDeviations.find((row) => row.ours.includes(ours));
  assert(row?.expected, ours);
  return row.expected(trace);
}

const done = { reply: { response: {} } };
const refused = {
  reply: {
    code: "FailedPrecondition",
    error:
      "1 workload container(s) still exist in the pod: failed precondition",
  },
};
const released = { host: [{ call: "modify" }], guest: [{ name: "x" }] };
const reply = {
  response: { pid: 7, exit_status: 9, exited_at: "<time>" },
};
const adapter = (RequestType: string, more: JsonObject = {}) => ({
  name: "ModifySettings",
  Request: {
    RequestType,
    ResourceType: "Network",
    Settings: { NamespaceID: "n", ID: "i", ...more },
  },
});

Deno.test("a refused delete does nothing; the next one does it all", () => {
  const rule = "refused delete";
  const trace = judged([
    ["Create", "p", { ...done, guest: [adapter("Add", { DNSSuffix: "d" })] }],
    ["Create", "c", done],
    ["Delete", "p", { ...refused, ...released }],
    ["Delete", "c", done],
    ["Delete", "p", { reply: { code: "NotFound" } }],
  ]);
  const { calls } = expected(rule, trace) as { calls: JsonObject[] };
  assertEquals(calls[2], {
    seq: 2,
    method: "Delete",
    ...refused,
    host: [],
    guest: [],
  });
  assertEquals(calls[4], {
    seq: 4,
    method: "Delete",
    reply,
    host: released.host,
    guest: [...released.guest, adapter("Remove")],
  });
});

Deno.test("a container whose create failed does not keep its pod", () => {
  const rule = "does not keep its pod";
  const trace = judged([
    ["Create", "p", done],
    ["Create", "c", { reply: { error: "x" } }],
    ["Delete", "p", { ...refused, ...released }],
  ]);
  const { calls } = expected(rule, trace) as { calls: JsonObject[] };
  assertEquals(calls[2], { seq: 2, method: "Delete", reply, ...released });
  const kept = judged([
    ["Create", "p", done],
    ["Create", "c", done],
    ["Delete", "p", refused],
  ]);
  assertEquals(expected(rule, kept), undefined);
});

Deno.test("the processes of a task in an ended VM are told", () => {
  const rule = "every task that exists";
  const pids = ["Pids", "c", {
    reply: { code: "FailedPrecondition" },
  }] as const;
  const trace = judged([
    ["Create", "c", done],
    ["Start", "c", { reply: { response: { pid: 7 } } }],
    pids,
  ]);
  const { calls } = expected(rule, trace) as { calls: JsonObject[] };
  const info = {
    type_url: "containerd.runhcs.v1.ProcessDetails",
    decoded: { process_id: 7 },
  };
  assertEquals(calls[2]!.reply, {
    response: { processes: [{ pid: 7, info }] },
  });
  assertEquals(expected(rule, judged([pids])), undefined);
});

Deno.test("a container that could not be started has ended with 1", () => {
  const rule = "could not be started";
  const trace = judged([
    ["Create", "c", done],
    ["Start", "c", { reply: { error: "x" }, guest: [{ name: "Start" }] }],
    ["State", "c", { reply: { response: { status: "CREATED" } } }],
    ["Delete", "c", done],
  ]);
  const { calls, events } = expected(rule, trace) as {
    calls: JsonObject[];
    events: Record<string, JsonObject[]>;
  };
  const end = { exit_status: 1, exited_at: "<time>" };
  assertEquals(calls[2]!.reply, { response: { ...end, status: "STOPPED" } });
  assertEquals(calls[3]!.reply, { response: end });
  assertEquals(events.c![0]!.exit_status, 1);
  assertEquals(events.p![0]!.exit_status, 9);
  assertEquals(expected(rule, judged([["Start", "c", done]])), undefined);
});

Deno.test("a container of a pod that the peer has forgotten is deleted", () => {
  const error = "pod controller for pod p not found: not found";
  const lost = ["Delete", "c", { reply: { code: "NotFound", error } }] as const;
  const trace = judged([["Create", "c", done], lost]);
  const end = { pid: 7, exit_status: 9, exited_at: "<time>" };
  const exit = { topic: "/tasks/exit", id: "c", ...end };
  const output = { ...trace.output, events: { c: [exit] } };
  const rule = "first one is gone";
  const { calls, events } = expected(rule, { ...trace, output } as never) as {
    calls: JsonObject[];
    events: JsonObject;
  };
  assertEquals(events.c, [exit, { ...exit, topic: "/tasks/delete" }]);
  assertEquals(calls[1]!.reply, { response: end });
  assertEquals(expected(rule, judged([lost])), undefined);
});
