import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { type Duplex, memoryPair } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import type { JsonObject } from "../base/json.ts";
import { jsonLogger, silentLogger as log } from "../base/log.ts";
import type { BridgeEnd } from "./errors.ts";
import { fakeHandlers } from "./fake_handlers.ts";
import type { GuestHandlers } from "./handlers.ts";
import { requestTypes } from "./message_types.ts";
import type { ContainerNotification } from "./messages.gen.ts";
import { ScriptedPeer } from "./scripted_peer.ts";
import { GuestBridge, type GuestBridgeOptions } from "./server.ts";

const activity = "11111111-2222-3333-4444-555555555555";
const base = { ContainerId: "web", ActivityId: activity };

function exitOf(id: string): ContainerNotification {
  return {
    ContainerId: id,
    ActivityId: activity,
    Type: "UnexpectedExit",
    Operation: "None",
    Result: 0,
  };
}

interface Served {
  readonly bridge: GuestBridge;
  readonly host: ScriptedPeer;
  readonly served: Promise<BridgeEnd>;
}

/** A bridge that serves one connection, not yet negotiated. */
function serve(
  handlers: Partial<GuestHandlers> = {},
  options: Partial<GuestBridgeOptions> = {},
): Served {
  const bridge = new GuestBridge(fakeHandlers(handlers), { log, ...options });
  const [theirs, ours] = memoryPair();
  return {
    bridge,
    host: new ScriptedPeer(theirs),
    served: bridge.serve(ours),
  };
}

async function negotiate(
  host: ScriptedPeer,
  range: JsonObject = { MinimumVersion: 4, MaximumVersion: 4 },
): Promise<JsonObject> {
  await host.send(requestTypes.NegotiateProtocol, 0, {
    ContainerId: "",
    ActivityId: nullGuid,
    ...range,
  });
  return (await host.receive()).body;
}

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

Deno.test("the answer of a wait goes before the notification that it triggers", async () => {
  const waited = Promise.withResolvers<void>();
  const { bridge, host, served } = serve({
    WaitForProcess: async () => {
      await waited.promise;
      bridge.notify(exitOf("web"));
      return { ExitCode: 137 };
    },
  });
  await negotiate(host);
  await host.send(requestTypes.WaitForProcess, 1, {
    ...base,
    ProcessId: 1,
    TimeoutInMs: 0xffffffff,
  });
  waited.resolve();
  const [answer, notification] = [await host.receive(), await host.receive()];
  assertEquals(answer.body["ExitCode"], 137);
  assertEquals([notification.type, notification.id], [0x30100101, 0n]);
  assertEquals(
    notification.text,
    `{"ContainerId":"web","ActivityId":"${activity}","Type":"UnexpectedExit","Operation":"None","Result":0}`,
  );
  await host.stream.close();
  await served;
});

Deno.test("guest:B1 guest:B2 guest:B3 guest:B4 guest:B5 notifications wait in order for a connection, and go once", async () => {
  const bridge = new GuestBridge(fakeHandlers(), { log });
  const connect = (): { host: ScriptedPeer; served: Promise<BridgeEnd> } => {
    const [theirs, ours] = memoryPair();
    return { host: new ScriptedPeer(theirs), served: bridge.serve(ours) };
  };
  const ids: unknown[] = [];
  const receive = async (host: ScriptedPeer): Promise<void> => {
    ids.push((await host.receive()).body["ContainerId"]);
  };
  bridge.notify(exitOf("a"));
  bridge.notify({ ...exitOf("b"), ActivityId: "" });
  const first = connect();
  await receive(first.host);
  await receive(first.host);
  bridge.notify(exitOf("c"));
  await receive(first.host);
  await first.host.stream.close();
  await first.served;
  bridge.notify(exitOf("d"));
  const second = connect();
  await receive(second.host);
  assertEquals(ids, ["a", "b", "c", "d"]);
  assertEquals((await negotiate(second.host))["Version"], 4); // nothing more
  await second.host.stream.close();
  await second.served;
});

Deno.test("guest:B6 guest:A13 every connection negotiates anew; a call in flight is answered on the connection of its end", async () => {
  const started = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  const bridge = new GuestBridge(
    fakeHandlers({
      Start: () => {
        started.resolve();
        return going.promise;
      },
    }),
    { log },
  );
  const [host1, guest1] = memoryPair();
  const first = new ScriptedPeer(host1);
  const served1 = bridge.serve(guest1);
  await negotiate(first);
  await first.send(requestTypes.Start, 41, base);
  await started.promise;
  await first.stream.close();
  await served1;

  const [host2, guest2] = memoryPair();
  const second = new ScriptedPeer(host2);
  const served2 = bridge.serve(guest2);
  assertEquals((await negotiate(second))["Version"], 4);
  going.resolve();
  assertEquals((await second.receive()).id, 41n);
  await second.stream.close();
  await served2;
});

Deno.test("an answer that nobody is there for is dropped", async () => {
  const going = Promise.withResolvers<void>();
  const dropped = Promise.withResolvers<void>();
  const log = jsonLogger((line) => {
    if (line.includes("No connection for an answer")) dropped.resolve();
  }, { level: "debug" });
  const { bridge, host, served } = serve(
    { Start: () => going.promise },
    { log },
  );
  await negotiate(host);
  await host.send(requestTypes.Start, 1, base);
  await negotiate(host); // the start has been read
  await host.stream.close();
  await served;
  going.resolve();
  await dropped.promise;
  const [theirs, ours] = memoryPair();
  const again = bridge.serve(ours);
  const peer = new ScriptedPeer(theirs);
  assertEquals((await negotiate(peer))["Version"], 4);
  await peer.stream.close();
  await again;
});

Deno.test("run() dials again 100 ms after a failed dial and after a lost connection, until it quits", async () => {
  const clock = new FakeClock();
  const bridge = new GuestBridge(fakeHandlers(), { log, clock });
  const hosts: Duplex[] = [];
  let dials = 0;
  const running = bridge.run(() => {
    if (++dials === 1) return Promise.reject(new Error("nobody listens"));
    const [theirs, ours] = memoryPair();
    hosts.push(theirs);
    return Promise.resolve(ours);
  });
  await clock.advance(99);
  assertEquals(dials, 1);
  await clock.advance(1);
  assertEquals(dials, 2);
  await hosts[0]?.close();
  await clock.advance(100);
  assertEquals(dials, 3);
  bridge.quit();
  await running;
  assertEquals(clock.sleepers, 0);
  assert(await new ScriptedPeer(hosts[1]!).isEnded());
});

Deno.test("run() ends with its signal while it dials, and closes a stream that comes too late", async () => {
  const bridge = new GuestBridge(fakeHandlers(), { log });
  const abort = new AbortController();
  const dialled = Promise.withResolvers<Duplex>();
  const running = bridge.run(() => dialled.promise, abort.signal);
  abort.abort();
  await running;
  const [theirs, ours] = memoryPair();
  dialled.resolve(ours);
  assert(await new ScriptedPeer(theirs).isEnded());
  await bridge.run(() => Promise.reject(new Error("not dialled again")));
});

Deno.test("quit() lets finished answers out, aborts handlers' signals and ends the connection", async () => {
  let aborted = false;
  const { host, bridge, served } = serve({
    ShutdownForced: (_request, { signal }) => {
      bridge.quit();
      aborted = signal.aborted;
      return Promise.resolve();
    },
  });
  await negotiate(host);
  await host.send(requestTypes.ShutdownForced, 1, {
    ...base,
    ContainerId: nullGuid,
  });
  assertEquals(await served, {});
  assert(aborted);
  await host.stream.close();
});

Deno.test("quit() does not wait for a host that no longer reads", async () => {
  const clock = new FakeClock();
  const [theirs, ours] = memoryPair();
  const writing = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  const bridge = new GuestBridge(fakeHandlers(), { log, clock });
  const served = bridge.serve({
    ...ours,
    write: () => {
      writing.resolve();
      return closed.promise;
    },
    close: () => {
      closed.reject(new Error("closed"));
      return ours.close();
    },
  });
  await new ScriptedPeer(theirs).send(requestTypes.Start, 1, base);
  await writing.promise;
  bridge.quit();
  await clock.advance(5_000);
  assertEquals(await served, {});
});

Deno.test("a second connection is refused while one is served", async () => {
  const { bridge, host, served } = serve();
  const [theirs, ours] = memoryPair();
  const refused = await bridge.serve(ours).catch((error) => error);
  assert(refused instanceof ShimError);
  assertEquals(refused.code, "FailedPrecondition");
  assert(await new ScriptedPeer(theirs).isEnded());
  assertEquals((await negotiate(host))["Version"], 4);
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
