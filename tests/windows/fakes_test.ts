/** The fake DLLs themselves, used by the Windows build of Deno under Wine. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { forward, type ForwarderOptions } from "./forwarder.ts";
import { MemoryHost, memoryRuntimeId } from "./memory_host.ts";
import {
  memoryEndpointIds,
  memoryNamespaceId,
  MemoryNetwork,
  memoryNetworkId,
} from "./memory_network.ts";
import { runWindowsDeno, setUp, stopWine, windowsPath } from "./setup.ts";

const script = new URL("fakes_script.ts", import.meta.url).pathname;

async function play(
  scenario: readonly string[],
  host: MemoryHost,
  options: ForwarderOptions & { readonly refused?: [string, number] } = {},
): Promise<Record<string, unknown>> {
  await setUp();
  const forwarder = forward(host, options);
  if (options.refused !== undefined) forwarder.refused.set(...options.refused);
  try {
    const env = { LCOW_FORWARDER_PORT: String(forwarder.port) };
    const seen = JSON.parse(await runWindowsDeno(script, scenario, env));
    assertEquals(forwarder.openHandles(), 0);
    return seen;
  } finally {
    await stopWine();
    await forwarder[Symbol.asyncDispose]();
  }
}

Deno.test("under Wine, vmcompute pauses, resumes, saves and shuts down", async () => {
  const host = new MemoryHost();
  assertEquals(await play(["lifecycle"], host), {
    pause: "ok",
    resume: "ok",
    save: "ok",
    shutdown: "ok",
    exit: { status: 0, exitType: "GracefulExit" },
    leakedStrings: 0,
  });
  assertEquals(host.calls.includes('save {"SaveType":"ToFile"}'), true);
});

Deno.test("under Wine, computecore reports results by operations and events by its callback", async () => {
  const { "start without a socket": refusal, ...seen } = await play(
    ["core"],
    new MemoryHost(),
  );
  const exit = { status: 0, exitType: "ForcedExit" };
  assertEquals(seen, {
    start: "ok",
    modify: "ok",
    properties: {
      Id: "pod-é@vm",
      RuntimeId: memoryRuntimeId,
      Query: { A: "無" },
    },
    initialize: "ok",
    event: { Origin: "Source", Event: "SetupDone", Result: "Success" },
    "start with one": "ok",
    transfer: "ok",
    cancel: "ok",
    finalize: "ok",
    terminate: "ok",
    exit,
    "exit of the second handle": exit,
    leakedStrings: 0,
  });
  assertStringIncludes(String(refusal), "E_INVALIDARG");
});

Deno.test("under Wine, computecore refuses at once and later, with a document", async () => {
  const seen = await play(["refused"], new MemoryHost(), {
    refused: ["HcsFinalizeLiveMigration", 0x80370105],
  });
  assertMatch(String(seen["at once"]), /HCS_E_INVALID_STATE \(0x80370105\)/);
  for (const name of ["create", "modify", "initialize"]) {
    assertStringIncludes(String(seen[name]), "kein Zugriff – 無");
  }
  // There is no operation that could have a document.
  assertMatch(String(seen.open), /E_ACCESSDENIED \(0x80070005\)/);
  assertEquals(seen.leakedStrings, 0);
});

Deno.test("under Wine, an operation tells when it has no result yet", async () => {
  assertEquals(await play(["operations"], new MemoryHost()), {
    "result before": "80370115",
    "wait before": "80370115",
    call: "0",
    "call again": "80370116",
    wait: "0",
    unfreed: 1,
    freed: 0,
    cancel: "80004001",
    closed: "80070006",
    "in flight": "0",
  });
});

Deno.test("under Wine, computenetwork knows namespaces, endpoints and networks", async () => {
  const network = new MemoryNetwork();
  const seen = await play(["network"], new MemoryHost(), { network });
  const { unknown, "not open": notOpen, ...found } = seen;
  assertEquals(found, {
    namespace: {
      id: memoryNamespaceId,
      namespaceId: 1,
      endpointIds: [...memoryEndpointIds],
    },
    first: "second",
    second: "pod_eth0",
    networks: [{ id: memoryNetworkId, name: "pods", type: "L2Bridge" }],
    leakedStrings: 0,
  });
  assertStringIncludes(String(unknown), `"${memoryNetworkId}" not found`);
  assertStringIncludes(String(notOpen), `"${memoryNetworkId}" not found`);
  assertEquals(
    network.calls.includes(`HcnOpenEndpoint ${memoryEndpointIds[1]}`),
    true,
  );
});

Deno.test("under Wine, computenetwork refuses with an error record", async () => {
  const network = new MemoryNetwork();
  network.refused.add("HcnOpenNamespace");
  const seen = await play(["network"], new MemoryHost(), { network });
  assertStringIncludes(String(seen.namespace), "kein Zugriff – 無");
  assertEquals([seen.first, seen.leakedStrings], ["second", 0]);
});

Deno.test("under Wine, a virtual disk is a sparse file that Linux can attach", async () => {
  const dir = await Deno.makeTempDir({ prefix: "lcow-disk-" });
  try {
    const file = `${dir}/sandbox.vhdx`;
    const seen = await play(["disk", windowsPath(file)], new MemoryHost());
    assertEquals(seen, {
      create: 0,
      again: 80, // ERROR_FILE_EXISTS
      open: 0,
      info: 0,
      size: String(1024 * 1024 * 1024),
      expand: 0,
      expandLess: 87, // ERROR_INVALID_PARAMETER
      resize: 0,
      closed: 1,
    });
    const { size, blocks } = await Deno.stat(file);
    assertEquals([size, blocks], [1024 * 1024, 0]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
