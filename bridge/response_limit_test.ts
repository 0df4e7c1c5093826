import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isJsonObject, type JsonObject, parseJson } from "../base/json.ts";
import { formatResponse } from "./response_limit.ts";

const limit = 0x10000;
const activity = "11111111-2222-3333-4444-555555555555";

function format(response: JsonObject): JsonObject {
  const text = formatResponse(response, limit);
  assert(16 + new TextEncoder().encode(text).length <= limit);
  const result = parseJson(text);
  assert(isJsonObject(result));
  return result;
}

function metrics(response: JsonObject): JsonObject {
  const properties = parseJson(String(response["Properties"])) as JsonObject;
  return properties["LCOWMetrics"] as JsonObject;
}

Deno.test("formatResponse() changes nothing when the response fits, up to the last byte", () => {
  const shell = '{"Result":0,"GuestStacks":""}';
  const GuestStacks = "x".repeat(limit - 16 - shell.length);
  assertEquals(format({ Result: 0, GuestStacks }), { Result: 0, GuestStacks });
  const cut = format({ Result: 0, GuestStacks: `${GuestStacks}x` });
  assertStringIncludes(String(cut["GuestStacks"]), "… [truncated]");
});

Deno.test("formatResponse() cuts messages and stacks of records, also when escapes multiply them", () => {
  const text = '\u0001"<'.repeat(50_000);
  const record = {
    Result: -2147467259,
    Message: text,
    StackTrace: text,
    ModuleName: "gcs",
    FileName: "",
    Line: 4294967295,
  };
  const response = format({
    Result: -2147467259,
    ActivityId: activity,
    ErrorMessage: text,
    ErrorRecords: Array.from({ length: 40 }, () => ({ ...record })),
  });
  assertEquals(response["Result"], -2147467259);
  assertEquals(response["ActivityId"], activity);
  assert(String(response["ErrorMessage"]).startsWith('\u0001"<'));
  const [first] = response["ErrorRecords"] as JsonObject[];
  assertEquals(first?.["ModuleName"], "gcs");
  assertEquals(first?.["Line"], 4294967295);
});

Deno.test("formatResponse() leaves statistics out section by section, and keeps the rest exact", () => {
  const entry = { op: "Read", major: 8, minor: 0, value: 1 };
  const LCOWMetrics = {
    memory: { usage: { limit: 18446744073709551615n } },
    cpu: { usage: { total: 5, per_cpu: Array(64).fill(1) } },
    blkio: { io_serviced_recursive: Array(3000).fill(entry) },
    rdma: { current: [] },
    hugetlb: [{ usage: 1 }],
  };
  const Properties = `{"LCOWMetrics":${
    JSON.stringify(
      LCOWMetrics,
      (_key, value) => typeof value === "bigint" ? "LIMIT" : value,
    ).replace('"LIMIT"', "18446744073709551615")
  }}`;
  const left = metrics(format({ Result: 0, Properties }));
  assertEquals(left["blkio"], {});
  assertEquals(left["memory"], LCOWMetrics.memory);
  assertEquals(left["cpu"], LCOWMetrics.cpu);
  assertEquals(left["hugetlb"], LCOWMetrics.hugetlb);
});

Deno.test("formatResponse() answers an error when nothing optional is left to drop", () => {
  const ProcessList = Array.from({ length: 9000 }, (_, pid) => ({
    ProcessId: pid,
  }));
  const response = format({
    Result: 0,
    ActivityId: activity,
    Properties: JSON.stringify({ ProcessList }),
  });
  assertEquals(response["Result"], -2147467259);
  assertEquals(response["ActivityId"], activity);
  assertStringIncludes(String(response["ErrorMessage"]), "limit is 65536");
});

Deno.test("formatResponse() does not repeat an activity id that is the very problem", () => {
  const response = format({ Result: 0, ActivityId: "a".repeat(70_000) });
  assertEquals(response["ActivityId"], undefined);
  assertEquals(response["Result"], -2147467259);
});
