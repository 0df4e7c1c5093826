import { assert } from "@std/assert";
import { metricsDocument, metricsPath } from "./metrics.ts";

Deno.test("docs/metrics.md shows the metrics as they are", async () => {
  assert(
    await Deno.readTextFile(metricsPath) === metricsDocument(),
    "docs/metrics.md is old: run `deno task docs`",
  );
});
