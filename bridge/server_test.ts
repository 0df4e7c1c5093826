import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import type { JsonObject } from "../base/json.ts";
import { requestTypes } from "./message_types.ts";
import { activity, base, negotiate, serve } from "./served_bridge.ts";

Deno.test("a negotiation that includes version 4 answers 4 and what this guest can do", async () => {
  const { host, served } = serve();
  const range = { MinimumVersion: 3, MaximumVersion: 7 };
  assertEquals(await negotiate(host, range), {
    Result: 0,
    ActivityId: nullGuid,
    Version: 4,
    Capabilities: {
      SupportedSchemaVersions: [{ Major: 2, Minor: 1 }],
      RuntimeOsType: "Linux",
      GuestDefinedCapabilities: {
        NamespaceAddRequestSupported: true,
        SignalProcessSupported: true,
        DumpStacksSupported: true,
        DeleteContainerStateSupported: true,
      },
    },
  });
  await host.stream.close();
  assertEquals(await served, {});
});

for (const [low, high] of [[1, 3], [5, 9]] as const) {
  Deno.test(`a negotiation of ${low} to ${high} is refused, and another may follow`, async () => {
    const { host, served } = serve();
    const range = { MinimumVersion: low, MaximumVersion: high };
    const refused = await negotiate(host, range);
    assertEquals(refused["Result"], -1070137076);
    assertEquals(refused["ActivityId"], nullGuid);
    assertEquals((await negotiate(host))["Version"], 4);
    await host.stream.close();
    await served;
  });
}

Deno.test("calls before the negotiation, and a second negotiation, are not implemented", async () => {
  const { host, served } = serve();
  await host.send(requestTypes.ExecuteProcess, 1, base);
  const early = await host.receive();
  assertEquals(early.body["Result"], -2147467263);
  assertStringIncludes(
    String(early.body["ErrorMessage"]),
    "bridge: function not supported, header type: ComputeSystemExecuteProcessV1",
  );
  await negotiate(host);
  assertEquals((await negotiate(host))["Result"], -2147467263);
  await host.stream.close();
  await served;
});

Deno.test("without versions every message is not implemented", async () => {
  const { host, served } = serve({}, { versions: [] });
  assertEquals((await negotiate(host))["Result"], -2147467263);
  await host.stream.close();
  await served;
});

Deno.test("guest:A10 an unknown message is answered with its response type, its id and one record", async () => {
  const { host, served } = serve();
  await negotiate(host);
  await host.send(0x10102001, 0xfedcba9876543210n, base);
  const { type, id, body } = await host.receive();
  assertEquals(type, 0x20102001);
  assertEquals(id, 0xfedcba9876543210n);
  assertEquals(body["Result"], -2147467263);
  assertEquals(body["ActivityId"], activity);
  const records = body["ErrorRecords"] as JsonObject[];
  assertEquals(records.length, 1);
  assertStringIncludes(
    String(records[0]?.["Message"]),
    "bridge: function not supported, header type: 269492225",
  );
  await host.stream.close();
  await served;
});

Deno.test("guest:A11 a handler sees container and activity, and its response repeats id and activity", async () => {
  const seen: unknown[] = [];
  const { host, served } = serve({
    SignalProcess: ({ ProcessId, Options }, { containerId, activityId }) => {
      seen.push([ProcessId, Options, containerId, activityId]);
      return Promise.resolve();
    },
  });
  await negotiate(host);
  await host.send(requestTypes.SignalProcess, 7, {
    ...base,
    ProcessId: 3,
    Options: null,
  });
  const { type, id, text } = await host.receive();
  assertEquals([type, id], [0x20100701, 7n]);
  assertEquals(text, `{"Result":0,"ActivityId":"${activity}"}`);
  assertEquals(seen, [[3, undefined, "web", activity]]);
  await host.stream.close();
  await served;
});

Deno.test("guest:A12 calls run concurrently and are answered as they end; empty bodies are tolerated", async () => {
  const first = Promise.withResolvers<void>();
  const { host, served } = serve({
    Start: () => first.promise,
    DumpStacks: () => Promise.resolve({ GuestStacks: "" }),
  });
  await negotiate(host);
  await host.send(requestTypes.Start, 1, "");
  await host.send(requestTypes.DumpStacks, 2, "");
  assertEquals((await host.receive()).id, 2n);
  first.resolve();
  const { id, text } = await host.receive();
  assertEquals([id, text], [1n, '{"Result":0}']); // no ActivityId rather than ""
  await host.stream.close();
  await served;
});

Deno.test("an HResultError of a handler is answered with its signed code, text and record", async () => {
  const { host, served } = serve();
  await negotiate(host);
  await host.send(requestTypes.DeleteContainerState, 1, base);
  const { body } = await host.receive();
  assertEquals(body["Result"], -1070137074);
  assertStringIncludes(String(body["ErrorMessage"]), 'Container "web"');
  assertEquals(
    (body["ErrorRecords"] as JsonObject[])[0]?.["ModuleName"],
    "gcs",
  );
  await host.stream.close();
  await served;
});

Deno.test("a handler that crashes answers E_FAIL with its stack, and the agent lives on", async () => {
  const { host, served } = serve({
    Start: () => {
      throw new TypeError("x is undefined");
    },
    DumpStacks: () => Promise.resolve({ GuestStacks: 7 as unknown as string }),
  });
  await negotiate(host);
  await host.send(requestTypes.Start, 1, base);
  const crash = (await host.receive()).body;
  assertEquals(crash["Result"], -2147467259);
  assertEquals(crash["ErrorMessage"], "x is undefined");
  const [record] = crash["ErrorRecords"] as JsonObject[];
  assertStringIncludes(String(record?.["StackTrace"]), "server_test.ts");
  await host.send(requestTypes.DumpStacks, 2, base);
  assertEquals((await host.receive()).body["Result"], -2147467259);
  await host.send(requestTypes.DeleteContainerState, 3, base);
  assertEquals((await host.receive()).body["Result"], -1070137074);
  await host.stream.close();
  await served;
});

Deno.test("requests that cannot be decoded are answered with invalid JSON, with the activity when it is readable", async () => {
  const { host, served } = serve();
  await negotiate(host);
  await host.send(requestTypes.Start, 1, "nope");
  const nope = (await host.receive()).body;
  assertEquals(nope["Result"], -1070137075);
  assertEquals(nope["ActivityId"], undefined);
  assertStringIncludes(String(nope["ErrorMessage"]), '"nope"');
  await host.send(requestTypes.SignalProcess, 2, { ...base, ProcessId: -1 });
  const range = (await host.receive()).body;
  assertEquals(range["Result"], -1070137075);
  assertEquals(range["ActivityId"], activity);
  assertStringIncludes(String(range["ErrorMessage"]), "$.ProcessId");
  await host.stream.close();
  await served;
});

for (
  const [what, hex] of [
    ["a size of 15", "01021010 0f000000 0000000000000000"],
    ["a size above the host's limit", "01021010 01000004 0000000000000000"],
  ] as const
) {
  Deno.test(`${what} ends the connection with an error`, async () => {
    const { host, served } = serve();
    await host.sendHex(hex);
    const { error } = await served;
    assertStringIncludes(error?.message ?? "", "Invalid message size");
    assert(await host.isEnded());
  });
}

Deno.test("a connection that ends inside a frame ends with DataLoss", async () => {
  const { host, served } = serve();
  await host.sendHex("0102");
  await host.stream.closeWrite();
  const { error } = await served;
  assert(error instanceof ShimError);
  assertEquals(error.code, "DataLoss");
});

Deno.test("responses that are too long are cut to 64 KiB and the connection lives", async () => {
  const { host, served } = serve({
    DumpStacks: () => Promise.resolve({ GuestStacks: "é\n".repeat(100_000) }),
    Start: () => Promise.reject(new Error("x".repeat(200_000))),
  });
  await negotiate(host);
  await host.send(requestTypes.DumpStacks, 1, base);
  const stacks = await host.receive();
  assert(stacks.text.length > 10_000);
  assert(new TextEncoder().encode(stacks.text).length <= 0x10000 - 16);
  assertEquals(stacks.body["Result"], 0);
  await host.send(requestTypes.Start, 2, base);
  const failure = await host.receive();
  assert(failure.text.length <= 0x10000 - 16);
  assertStringIncludes(String(failure.body["ErrorMessage"]), "[truncated]");
  await host.send(requestTypes.Start, 3, { ActivityId: "a".repeat(100_000) });
  const { body } = await host.receive();
  assertEquals(body["Result"], -2147467259);
  await host.stream.close();
  await served;
});

Deno.test("an HRESULT deep in the chain of causes is the one that is answered", async () => {
  const { host, served } = serve({
    SignalProcess: () =>
      Promise.reject(
        new Error("kill", {
          cause: new HResultError(HResult.ElementNotFound, "process 3"),
        }),
      ),
  });
  await negotiate(host);
  await host.send(requestTypes.SignalProcess, 1, { ...base, ProcessId: 3 });
  assertEquals((await host.receive()).body["Result"], -2147023728);
  await host.stream.close();
  await served;
});
