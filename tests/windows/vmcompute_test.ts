/** The product's `vmcompute.dll` layer, run by the Windows build of Deno under Wine. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { forward, type Forwarder } from "./forwarder.ts";
import { MemoryHost, memoryRuntimeId } from "./memory_host.ts";
import { runWindowsDeno, setUp, stopWine } from "./setup.ts";

const script = new URL("vmcompute_script.ts", import.meta.url).pathname;

async function play(
  scenario: string,
  host: MemoryHost,
): Promise<Record<string, unknown>> {
  await setUp();
  const forwarder: Forwarder = forward(host);
  try {
    const env = { LCOW_FORWARDER_PORT: String(forwarder.port) };
    const seen = JSON.parse(await runWindowsDeno(script, [scenario], env));
    assertEquals(forwarder.openHandles(), 0);
    return seen;
  } finally {
    await stopWine();
    await forwarder[Symbol.asyncDispose]();
  }
}

Deno.test("under Wine, a system lives from create to close; both handles see its exit", async () => {
  const host = new MemoryHost();
  const seen = await play("life", host);
  const exit = { status: 0, exitType: "ForcedExit" };
  const named = { Id: "pod-é-無@vm", RuntimeId: memoryRuntimeId };
  assertEquals(seen, {
    runtimeId: memoryRuntimeId,
    start: "ok",
    modify: "ok",
    properties: { ...named, Query: { A: "ü" } },
    enumerate: [{ ...named, Owner: "test", State: "Running" }],
    service: { Query: { B: 1 } },
    grant: "ok",
    revoke: "ok",
    terminate: "ok",
    exit,
    "exit of the second handle": exit,
    close: "ok",
    leakedStrings: 0,
  });
  assertEquals(host.calls.includes("grantAccess vm C:\\a b.vhdx"), true);
});

Deno.test("under Wine, every refused call gives the code and the document, and leaks no string", async () => {
  const seen = await play("failures", new MemoryHost());
  const closed = String(seen["start after close"]);
  assertStringIncludes(closed, "the handle has already been closed");
  assertEquals(seen.leakedStrings, 0);
  assertEquals(seen.allow, "ok");
  const documented = ["create", "open", "start", "modify", "properties"];
  for (const name of [...documented, "enumerate", "service", "terminate"]) {
    assertStringIncludes(String(seen[name]), "kein Zugriff – 無");
    assertMatch(String(seen[name]), /E_ACCESSDENIED \(0x80070005\)/);
  }
  assertMatch(String(seen.revoke), /E_ACCESSDENIED \(0x80070005\)/);
});

Deno.test("under Wine, a function that the DLL lacks is named, and the others work", async () => {
  const seen = await play("without-revoke", new MemoryHost());
  const { revoke, ...others } = seen;
  assertEquals(others, { grant: "ok", leakedStrings: 0 });
  assertStringIncludes(
    String(revoke),
    "vmcompute.dll of this version of Windows has no function RevokeVmAccess",
  );
});
