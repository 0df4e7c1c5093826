import { assertEquals } from "@std/assert";
import { foreignModules } from "./build.ts";

function graph(...modules: { specifier: string; error?: string }[]): string {
  return JSON.stringify({ modules });
}

Deno.test("foreignModules() finds what no guest may have", () => {
  const base = "file:///checkout/";
  const found = foreignModules(
    graph(
      { specifier: `${base}guest/main.ts` },
      { specifier: `${base}base/log.ts` },
      { specifier: "node:net" },
      { specifier: `${base}sim/host.ts` },
      { specifier: `${base}shim/main.ts` },
      { specifier: "npm:/protobufjs@8.8.1" },
      { specifier: `${base}guest/gone.ts`, error: "not found" },
    ),
    base,
  );
  assertEquals(found, [
    `${base}sim/host.ts`,
    `${base}shim/main.ts`,
    "npm:/protobufjs@8.8.1",
    `${base}guest/gone.ts`,
  ]);
});
