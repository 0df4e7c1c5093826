import { assert, assertEquals } from "@std/assert";
import {
  controllersDocument,
  controllersPath,
  diagram,
} from "./controllers.ts";

Deno.test("docs/controllers.md shows the state tables as they are", async () => {
  assert(
    await Deno.readTextFile(controllersPath) === controllersDocument(),
    "docs/controllers.md is old: run `deno task docs`",
  );
});

Deno.test("a diagram has the first state and every row of its table", () => {
  const transitions = [["Closed", "open", "Open"]] as const;
  assertEquals(
    diagram({ name: "door", initial: "Closed", transitions }),
    "```mermaid\nstateDiagram-v2\n  [*] --> Closed\n  Closed --> Open: open\n```",
  );
});
