import { assert, assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { traceDeviations } from "./trace_deviations.ts";

/** What the row that says this expects. */
function expected(
  ours: string,
  output: JsonObject,
  input: JsonObject = {},
): JsonObject | undefined {
  const row = traceDeviations.find((row) => row.ours.includes(ours));
  assert(row?.expected, ours);
  return row.expected({ input, output, defects: [] });
}

const sent = (seq: number, method: string, request: JsonObject) => ({
  log: "ttrpc",
  kind: "call",
  seq,
  method,
  request,
});

Deno.test("a status has the process id of the shim, unless it failed", () => {
  const rule = "process id";
  const status = { method: "SandboxStatus", reply: { response: {} } };
  assertEquals(expected(rule, { calls: [status] }), {
    calls: [{ ...status, reply: { response: { pid: "<shim-pid>" } } }],
  });
  const failed = { method: "SandboxStatus", reply: { code: "NotFound" } };
  assertEquals(expected(rule, { calls: [failed] }), undefined);
});

Deno.test("an exec's state has the bundle of its container", () => {
  const events = [sent(1, "Create", { id: "c", bundle: "C:\\b" })];
  const state = { seq: 2, method: "State", reply: { response: {} } };
  const exec = { ...state, reply: { response: { exec_id: "e" } } };
  const input = { events: [...events, sent(2, "State", { id: "c" })] };
  const rule = "state of an exec";
  assertEquals(expected(rule, { calls: [exec] }, input), {
    calls: [{
      ...exec,
      reply: { response: { exec_id: "e", bundle: "C:\\b" } },
    }],
  });
  assertEquals(expected(rule, { calls: [state] }, input), undefined);
});

Deno.test("the options of a sandbox are annotations of its containers", () => {
  const options = { decoded: { vm_processor_count: 2, debug: true } };
  const input = { events: [sent(1, "CreateSandbox", { options })] };
  const create = (annotations: JsonObject) => ({
    calls: [{
      guest: [{
        name: "Create",
        ContainerConfig: { OciSpecification: { annotations } },
      }],
    }],
  });
  const name = "io.microsoft.virtualmachine.computetopology.processor.count";
  const rule = "options of its sandbox";
  assertEquals(expected(rule, create({}), input), create({ [name]: "2" }));
  assertEquals(
    expected(rule, create({ [name]: "3" }), input),
    create({ [name]: "3" }),
  );
});

const exit = { topic: "/tasks/exit", container_id: "c" };
const deleted = { topic: "/tasks/delete", container_id: "c" };

Deno.test("init's end is told with the id of its container", () => {
  const events = { c: [exit, { ...deleted, id: "exec" }] };
  assertEquals(expected("which init has, too", { events }), {
    events: { c: [{ ...exit, id: "c" }, { ...deleted, id: "exec" }] },
  });
});

Deno.test("the end of a container that was killed before it ran is told", () => {
  const killed = { ...deleted, exit_status: 1 };
  const rule = "killed before it ran";
  assertEquals(expected(rule, { events: { c: [killed] } }), {
    events: { c: [{ ...exit, exit_status: 1 }, killed] },
  });
  assertEquals(expected(rule, { events: { c: [exit, killed] } }), undefined);
  assertEquals(expected(rule, { events: { c: [deleted] } }), undefined);
});

Deno.test("a container that has ended is not started in the guest", () => {
  const start = {
    method: "Start",
    reply: { code: "FailedPrecondition" },
    guest: [{ name: "Start" }],
  };
  const rule = "not started in the guest";
  assertEquals(expected(rule, { calls: [start] }), {
    calls: [{ ...start, guest: [] }],
  });
  const refused = { ...start, reply: { code: "Unknown" } };
  assertEquals(expected(rule, { calls: [refused] }), undefined);
});

Deno.test("a VM that never ran has no time of its start", () => {
  const status = {
    seq: 2,
    method: "SandboxStatus",
    reply: { response: { created_at: "<time>" } },
  };
  const start = { seq: 1, method: "StartSandbox", reply: { response: {} } };
  const rule = "no time of its start";
  assertEquals(expected(rule, { calls: [status] }), {
    calls: [{ ...status, reply: { response: {} } }],
  });
  assertEquals(expected(rule, { calls: [start, status] }), undefined);
});

Deno.test("a verbose status names process and state", () => {
  const status = {
    seq: 1,
    method: "SandboxStatus",
    reply: { response: { state: "SANDBOX_READY" } },
  };
  const input = (verbose: boolean) => ({
    events: [sent(1, "SandboxStatus", { verbose })],
  });
  const rule = "verbose status";
  const info = { pid: String(Deno.pid), state: "Running" };
  assertEquals(expected(rule, { calls: [status] }, input(true)), {
    calls: [{
      ...status,
      reply: { response: { info, state: "SANDBOX_READY" } },
    }],
  });
  assertEquals(expected(rule, { calls: [status] }, input(false)), undefined);
});

Deno.test("what the guest never heard of is not deleted there", () => {
  const rule = "never heard of";
  const forget = { name: "DeleteContainerState" };
  const failed = { method: "Create", guest: [{ name: "x" }, forget] };
  assertEquals(expected(rule, { calls: [failed] }), {
    calls: [{ ...failed, guest: [{ name: "x" }] }],
  });
  const heard = { method: "Create", guest: [{ name: "Create" }, forget] };
  assertEquals(expected(rule, { calls: [heard] }), undefined);
});

Deno.test("resources of an unknown type are no missing thing", () => {
  const update = (error: string) => ({
    calls: [{ method: "Update", reply: { error } }],
  });
  const rule = "unknown type";
  const text = "failed: type with url a/B";
  assertEquals(expected(rule, update(`${text}: not found`)), update(text));
  assertEquals(expected(rule, update("c: not found")), undefined);
});

Deno.test("a stream is a named pipe", () => {
  const exec = (error: string) => ({ calls: [{ reply: { error } }] });
  const rule = "named pipe";
  assertEquals(
    expected(rule, exec("x: scheme must be 'binary', got: 'file'")),
    exec("x: scheme: 'file'"),
  );
  assertEquals(expected(rule, exec("x")), undefined);
});

Deno.test("an exec that never ran ends before its container", () => {
  const rule = "exec that has not run";
  const added = { topic: "/tasks/exec-added", container_id: "c", exec_id: "e" };
  const end = { ...exit, id: "c", exited_at: "<time>", exit_status: 137 };
  const events = { c: [added, end] };
  assertEquals(expected(rule, { events }), {
    events: {
      c: [added, {
        topic: "/tasks/exit",
        container_id: "c",
        id: "e",
        exit_status: 1,
        exited_at: "<time>",
      }, end],
    },
  });
  for (
    const seen of [
      { topic: "/tasks/exec-started", container_id: "c", exec_id: "e" },
      { topic: "/tasks/delete", container_id: "c", id: "e" },
    ]
  ) {
    assertEquals(
      expected(rule, { events: { c: [added, seen, end] } }),
      undefined,
    );
  }
  assertEquals(expected(rule, { events: { c: [added] } }), undefined);
});
