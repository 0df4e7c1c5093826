/** Streams of the Windows side in numbers, run by the Windows build of Deno under Wine. */

import { assertEquals } from "@std/assert";
import { HyperVRegistry } from "../../sim/wine/hyperv_registry.ts";
import { forward } from "./forwarder.ts";
import { MemoryHost, memoryRuntimeId } from "./memory_host.ts";
import { runWindowsDeno, setUp, stopWine, windowsPath } from "./setup.ts";

const script = new URL("io_script.ts", import.meta.url).pathname;

Deno.test.afterAll(stopWine);

async function play(scenario: string): Promise<Record<string, number>> {
  await setUp();
  const folder = await Deno.makeTempDir();
  await using forwarder = forward(new MemoryHost());
  await using registry = new HyperVRegistry();
  const args = [scenario, memoryRuntimeId, windowsPath(folder)];
  const env = {
    LCOW_FORWARDER_PORT: String(forwarder.port),
    LCOW_HVSOCKET_PORT: String(registry.port),
  };
  try {
    const seen = JSON.parse(await runWindowsDeno(script, args, env, 60_000));
    assertEquals(forwarder.openHandles(), 0);
    assertEquals(registry.listening, []);
    return seen;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("under Wine, 64 waiting streams and every slot for blocking calls leave files their threads", async () => {
  const seen = await play("starvation");
  // What is pending is the pipe that waits for its next clients.
  assertEquals(seen, { files: 32, bytes: 64 * 9, pending: 4, left: 0 });
});

Deno.test("under Wine, 1,000 streams and 200 systems leave no handle behind", async () => {
  assertEquals(await play("leaks"), { grown: 0, lent: 0, left: 0 });
});
