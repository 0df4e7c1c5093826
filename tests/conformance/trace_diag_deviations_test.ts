import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { traceDiagDeviations } from "./trace_diag_deviations.ts";
import { done, expectedBy, failed, judgedTrace } from "./trace_testing.ts";

Deno.test("a process of the VM has an exit code, not an error", () => {
  const rule = "another code than 0";
  const run = (error: string) =>
    expectedBy(
      traceDiagDeviations,
      rule,
      judgedTrace([["DiagExecInHost", "", failed(error)]]),
    );
  assertEquals(run("x: process exited with exit code 8")?.calls[0]?.reply, {
    response: { exit_code: 8 },
  });
  assertEquals(run("x: no such program"), undefined);
});

Deno.test("tasks are listed once, and only those that exist", () => {
  const rule = "listed once";
  const list = (...ids: string[]) => ({
    reply: { response: { tasks: ids.map((id) => ({ id })) } },
  });
  const listed = (...ids: string[]) =>
    expectedBy(
      traceDiagDeviations,
      rule,
      judgedTrace([
        ["Create", "a", done],
        ["Create", "b", failed("no")],
        ["DiagTasks", "", list(...ids)],
      ]),
    );
  assertEquals(listed("a", "a", "b")?.calls[2]?.reply, list("a").reply);
  assertEquals(listed("a"), undefined);
});

Deno.test("the program's delete answers", () => {
  const row = traceDiagDeviations.find(({ ours }) =>
    ours.includes("program's delete")
  );
  const expected = (command: JsonObject) =>
    row?.expected?.({
      input: {},
      output: { commands: [command] },
      defects: [],
    });
  const args = ["-id", "a", "delete"];
  const error = "bundle path not found in context";
  assertEquals(expected({ args, error }), {
    commands: [{ args, answer: { exit_status: 255, exited_at: "<time>" } }],
  });
  assertEquals(expected({ args: ["start"], error }), undefined);
  assertEquals(expected({ args, error: "another" }), undefined);
});
