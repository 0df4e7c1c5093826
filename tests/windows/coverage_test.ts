/** Every symbol of every table is called by the Windows build of Deno: with success, and with failure. */

import { assert, assertEquals } from "@std/assert";
import { HyperVRegistry } from "../../sim/wine/hyperv_registry.ts";
import { type Coverage, coverageTable, gapsOf } from "./coverage.ts";
import { forward } from "./forwarder.ts";
import { MemoryHost, memoryRuntimeId } from "./memory_host.ts";
import { MemoryNetwork } from "./memory_network.ts";
import { runWindowsDeno, setUp, stopWine, windowsPath } from "./setup.ts";

const script = new URL("coverage_script.ts", import.meta.url).pathname;
const document = new URL("../../docs/windows-coverage.md", import.meta.url);

Deno.test.afterAll(stopWine);

/** Calls that nonsense alone does not make fail. */
const refused = [
  "GrantVmAccess",
  "RevokeVmAccess",
  "computecore.dll/HcsSetComputeSystemCallback",
];

async function play(
  args: readonly string[],
  refused: readonly string[] = [],
): Promise<Coverage> {
  const network = new MemoryNetwork();
  await using forwarder = forward(new MemoryHost(), { network });
  for (const name of refused) forwarder.refused.set(name, 0x80070005);
  await using registry = new HyperVRegistry();
  const env = {
    LCOW_FORWARDER_PORT: String(forwarder.port),
    LCOW_HVSOCKET_PORT: String(registry.port),
  };
  return JSON.parse(await runWindowsDeno(script, args, env));
}

Deno.test("under Wine, every symbol of every table is called, and fails where it can", async () => {
  await setUp();
  const folder = await Deno.makeTempDir();
  const seen = await play([windowsPath(folder), memoryRuntimeId]);
  const failed = await play(["refused"], refused);
  await Deno.remove(folder, { recursive: true });
  const table = coverageTable(seen, failed);
  console.log(table);
  assertEquals(gapsOf(seen, failed), []);
  if (Deno.env.has("LCOW_WRITE_DOCS")) {
    await Deno.writeTextFile(document, table);
  }
  assert(
    await Deno.readTextFile(document) === table,
    "docs/windows-coverage.md is old: run this test with LCOW_WRITE_DOCS=1",
  );
});
