import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import type { Json } from "../../../base/json.ts";
import { judgeCompute } from "./connections.ts";

function service(...properties: Json[]): Parameters<typeof judgeCompute>[0] {
  return {
    serviceProperties: (query) => {
      assertEquals(query, { PropertyTypes: ["ProcessorTopology"] });
      return Promise.resolve({ Properties: properties });
    },
  };
}

Deno.test("judgeCompute() tells the processors", async () => {
  assertEquals(await judgeCompute(service({ LogicalProcessorCount: 8 })), {
    found: "it answers: 8 logical processors",
  });
});

Deno.test("judgeCompute() refuses an answer without them", async () => {
  await assertRejects(
    () => judgeCompute(service()),
    ShimError,
    "does not tell the processors",
  );
});
