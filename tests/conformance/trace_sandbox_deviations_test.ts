import { assert, assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { traceSandboxDeviations } from "./trace_sandbox_deviations.ts";

const created = {
  seq: 1,
  method: "CreateSandbox",
  reply: { response: {} },
};

/** The reply that a row expects; undefined where it says nothing. */
function reply(
  ours: string,
  method: string,
  recorded: JsonObject,
  before: readonly JsonObject[] = [],
) {
  const row = traceSandboxDeviations.find((row) => row.ours.includes(ours));
  assert(row?.expected, ours);
  const call = { seq: 2, method, reply: recorded };
  const output = { calls: [...before, call] };
  const changed = row.expected({ input: {}, output, defects: [] });
  return (changed?.calls as JsonObject[] | undefined)?.at(-1)?.reply;
}

const notFound = { code: "NotFound", error: "" };

Deno.test("no sandbox has no status", () => {
  const of = (before: JsonObject[]) =>
    reply("no status", "SandboxStatus", { response: {} }, before);
  assertEquals(of([]), notFound);
  assertEquals(of([created]), undefined);
});

Deno.test("a sandbox can be pinged", () => {
  const of = (code: string, before: JsonObject[]) =>
    reply("pinged", "PingSandbox", { code }, before);
  assertEquals(of("NotImplemented", []), notFound);
  assertEquals(of("NotImplemented", [created]), { response: {} });
  assertEquals(of("NotFound", []), undefined);
});

Deno.test("without a sandbox a task is not found", () => {
  const of = (method: string, before: JsonObject[]) =>
    reply("is not found", method, { code: "FailedPrecondition" }, before);
  assertEquals(of("Pids", []), notFound);
  assertEquals(of("Create", []), notFound);
  assertEquals(of("Start", []), undefined);
  assertEquals(of("Pids", [created]), undefined);
});

Deno.test("the wait for a sandbox ends with its stop", () => {
  const of = (error: string, before: JsonObject[]) =>
    reply("wait for a sandbox", "WaitSandbox", { error }, before);
  const closed = "hcsshim: the handle has already been closed";
  assertEquals(of(closed, [created]), { response: { exited_at: "<time>" } });
  assertEquals(of(closed, []), undefined);
  assertEquals(of("x", [created]), undefined);
});
