import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { memoryPair } from "../base/duplex.ts";
import { classify, ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import { HResultError, isGone } from "../base/hresult.ts";
import type { JsonObject } from "../base/json.ts";
import { silentLogger as log } from "../base/log.ts";
import { GuestConnection } from "./connection.ts";
import { requestTypes } from "./message_types.ts";
import { openScripted as open, ScriptedPeer } from "./scripted_peer.ts";

const notification = {
  ContainerId: "web",
  ActivityId: nullGuid,
  Type: "UnexpectedExit",
  Operation: "None",
  Result: 0,
};

Deno.test("host:M11 open() negotiates version 4 with id 0 and keeps the capabilities", async () => {
  const [ours, theirs] = memoryPair();
  const guest = new ScriptedPeer(theirs);
  const opening = GuestConnection.open(ours, { log });
  const request = await guest.receive();
  assertEquals(request.type, requestTypes.NegotiateProtocol);
  assertEquals(request.id, 0n);
  assertEquals(request.body, {
    ContainerId: "",
    ActivityId: nullGuid,
    MinimumVersion: 4,
    MaximumVersion: 4,
  });
  assert(request.text.endsWith("\n"));
  await guest.answer(request, {
    Version: 4,
    Capabilities: { GuestDefinedCapabilities: { DumpStacksSupported: true } },
  });
  const connection = await opening;
  assertEquals(connection.capabilities.GuestDefinedCapabilities, {
    DumpStacksSupported: true,
  });
  await connection.close();
  assert(await guest.isEnded());
});

Deno.test("guest:Q1 after a re-dial the host negotiates again, version 4 alone, before anything else", async () => {
  for (const coldStart of [true, false]) { // the first dial, and the second
    const [ours, theirs] = memoryPair();
    const guest = new ScriptedPeer(theirs);
    const opening = GuestConnection.open(ours, { log, coldStart });
    const request = await guest.receive();
    assertEquals(request.type, requestTypes.NegotiateProtocol);
    const { MinimumVersion, MaximumVersion } = request.body;
    assertEquals([MinimumVersion, MaximumVersion], [4, 4]);
    await guest.answer(request, {
      Version: 4,
      Capabilities: { GuestDefinedCapabilities: {} },
    });
    await (await opening).close();
    assert(await guest.isEnded()); // nothing more was sent
  }
});

for (
  const [what, response, text] of [
    ["another version", { Version: 5 }, "unexpected version 5 returned"],
    [
      "no capabilities",
      { Version: 4, Capabilities: {} },
      "GuestDefinedCapabilities is missing",
    ],
    [
      "malformed capabilities",
      { Version: 4, Capabilities: { GuestDefinedCapabilities: 7 } },
      "bridge closed",
    ],
    ["a refusal", { Result: -1070137076 }, "guest RPC failure"],
  ] as [string, JsonObject, string][]
) {
  Deno.test(`open() fails and closes the stream when the guest answers ${what}`, async () => {
    const [ours, theirs] = memoryPair();
    const guest = new ScriptedPeer(theirs);
    const opening = GuestConnection.open(ours, { log });
    opening.catch(() => {});
    await guest.answer(await guest.receive(), response);
    assertStringIncludes((await assertRejects(() => opening)).message, text);
    assert(await guest.isEnded());
  });
}

Deno.test("open() ends when its signal aborts, and closes the stream", async () => {
  const [ours, theirs] = memoryPair();
  const guest = new ScriptedPeer(theirs);
  const abort = new AbortController();
  const opening = GuestConnection.open(ours, { log, signal: abort.signal });
  await guest.receive();
  abort.abort(new ShimError("Canceled", "VM start was given up"));
  await assertRejects(() => opening, ShimError, "VM start was given up");
  assert(await guest.isEnded());
});

Deno.test("open() creates and starts the null container for guests that ask for it, on a cold start only", async () => {
  const wishes = {
    SendHostCreateMessage: true,
    SendHostStartMessage: true,
    GuestDefinedCapabilities: {},
  };
  const [ours, theirs] = memoryPair();
  const guest = new ScriptedPeer(theirs);
  const opening = GuestConnection.open(ours, { log });
  await guest.welcome(wishes);
  const create = await guest.receive();
  assertEquals(create.body, {
    ContainerId: nullGuid,
    ActivityId: nullGuid,
    ContainerConfig: '{"SystemType":"Container","TimeZoneInformation":null}',
  });
  await guest.answer(create);
  const start = await guest.receive();
  assertEquals([start.type, start.id], [requestTypes.Start, 2n]);
  await guest.answer(start);
  await (await opening).close();

  const [host2, guest2] = memoryPair();
  const resumed = GuestConnection.open(host2, { log, coldStart: false });
  await new ScriptedPeer(guest2).welcome(wishes);
  await (await resumed).close();
});

Deno.test("host:M1 call() sends a request and resolves with the response of the same id", async () => {
  const { connection, guest } = await open();
  const first = connection.call("Start", "a", {});
  const second = connection.call("GetProperties", "b", { Query: "{}" });
  const [start, get] = [await guest.receive(), await guest.receive()];
  assertEquals([start.id, get.id], [1n, 2n]);
  assertEquals(start.type, requestTypes.Start);
  await guest.answer(get, { Properties: "{}" });
  await guest.answer(start);
  assertEquals((await second).Properties, "{}");
  assertEquals((await first).Result, 0);
  await connection.close();
});

Deno.test("call() fails with what the guest answered, as an HResultError", async () => {
  const { connection, guest } = await open();
  const call = connection.call("Start", "web", {});
  await guest.answer(await guest.receive(), {
    Result: -2147024894,
    ErrorMessage: "exec failed: no such file",
    ErrorRecords: [],
  });
  const error = await assertRejects(() => call, HResultError);
  assertEquals(error.hresult, 0x80070002);
  assertStringIncludes(
    error.message,
    "guest RPC failure: exec failed: no such file",
  );
  await connection.close();
});

Deno.test("host:M2 an answer that takes 5 minutes ends the bridge and every call", async () => {
  const clock = new FakeClock();
  const { connection, guest } = await open({ clock });
  const wait = connection.call("WaitForProcess", "web", {
    ProcessId: 1,
    TimeoutInMs: 0xffffffff,
  });
  wait.catch(() => {});
  await clock.advance(600_000); // a wait lasts as long as the process
  const call = connection.call("SignalProcess", "web", { ProcessId: 1 });
  call.catch(() => {});
  await clock.advance(299_999);
  const other = connection.call("Start", "web", {});
  other.catch(() => {});
  await clock.advance(1);
  for (const pending of [wait, call, other]) {
    const error = await assertRejects(() => pending, HResultError);
    assertEquals(error.code, "Unavailable");
    assertStringIncludes(error.message, "bridge closed: message timeout");
    assert(isGone(error));
  }
  const { error } = await connection.ended;
  assertEquals(classify(error), "DeadlineExceeded");
  assertEquals(clock.sleepers, 0);
  for (let request = 0; request < 3; request++) await guest.receive();
  assert(await guest.isEnded());
});

Deno.test("an answered call leaves no timer behind", async () => {
  const clock = new FakeClock();
  const { connection, guest } = await open({ clock });
  const call = connection.call("Start", "web", {});
  await guest.answer(await guest.receive());
  await call;
  assertEquals(clock.sleepers, 0);
  await connection.close();
});

Deno.test("host:M3 a cancelable call ends with its signal, and its late answer is dropped", async () => {
  const { connection, guest } = await open();
  const abort = new AbortController();
  const call = connection.call("GetProperties", "web", { Query: "{}" }, abort);
  const request = await guest.receive();
  abort.abort(new ShimError("Canceled", "caller left"));
  await assertRejects(() => call, ShimError, "caller left");
  await guest.answer(request, { Properties: "{}" });
  const next = connection.call("Start", "web", {});
  await guest.answer(await guest.receive());
  assertEquals((await next).Result, 0);
  await connection.close();
});

Deno.test("host:M4 a call that is not cancelable waits for its answer", async () => {
  const { connection, guest } = await open();
  const abort = new AbortController();
  const call = connection.call(
    "Create",
    "web",
    { ContainerConfig: "{}" },
    abort,
  );
  const request = await guest.receive();
  abort.abort();
  await guest.answer(request);
  assertEquals((await call).Result, 0);
  await connection.close();
});

Deno.test("a signal that has aborted prevents every call", async () => {
  const { connection, guest } = await open();
  const signal = AbortSignal.abort(new ShimError("Canceled", "too late"));
  await assertRejects(
    () => connection.call("Create", "web", { ContainerConfig: "" }, { signal }),
    ShimError,
    "too late",
  );
  const next = connection.call("Start", "web", {});
  const request = await guest.receive();
  assertEquals(request.id, 1n); // no id was spent
  await guest.answer(request);
  await next;
  await connection.close();
});

Deno.test("a request that cannot be encoded fails alone", async () => {
  const { connection, guest } = await open();
  const huge = "x".repeat(64 * 1024 * 1024);
  const error = await assertRejects(
    () => connection.call("Create", "web", { ContainerConfig: huge }),
    ShimError,
  );
  assertEquals(error.code, "ResourceExhausted");
  await assertRejects(
    () =>
      connection.call("ResizeConsole", "web", {
        ProcessId: 1,
        Height: 70_000,
        Width: 1,
      }),
    ShimError,
    "Height",
  );
  const next = connection.call("Start", "web", {});
  const request = await guest.receive();
  assertEquals(request.id, 1n);
  await guest.answer(request);
  await next;
  await connection.close();
});

Deno.test("host:M5 the end of the stream fails pending and later calls, without an error of the bridge", async () => {
  const { connection, guest } = await open();
  const call = connection.call("Start", "web", {});
  await guest.receive();
  await guest.stream.closeWrite();
  const error = await assertRejects(() => call, ShimError, "bridge closed");
  assertEquals(error.code, "Unavailable");
  assertEquals(await connection.ended, {});
  await assertRejects(
    () => connection.call("Start", "web", {}),
    ShimError,
    'Cannot call Start in the guest for container "web": bridge closed',
  );
  await connection.close();
  await connection.close();
});

Deno.test("host:M7 host:M14 host:M15 a notification resolves the wait for that container only, the end of the bridge all", async () => {
  const { connection, guest } = await open();
  const web = connection.watchContainer("web");
  const db = connection.watchContainer("db");
  await guest.send(0x30100101, 0, notification);
  await web.terminated;
  let ended = false;
  db.terminated.then(() => ended = true);
  const call = connection.call("Start", "db", {});
  await guest.answer(await guest.receive());
  await call;
  assertEquals(ended, false);
  await connection.close();
  await db.terminated;
});

Deno.test("an id can be watched once at a time, and again after it was forgotten", async () => {
  const { connection, guest } = await open();
  const watch = connection.watchContainer("web");
  const error = await assertRejects(
    async () => await connection.watchContainer("web").terminated,
    ShimError,
    "already exists",
  );
  assertEquals(error.code, "AlreadyExists");
  watch.forget();
  watch.forget();
  await watch.terminated;
  const again = connection.watchContainer("web");
  watch.forget(); // the old one
  await guest.send(0x30100101, 0, notification);
  await again.terminated;
  await connection.close();
  await assertRejects(
    async () => await connection.watchContainer("web").terminated,
    ShimError,
    "bridge closed",
  );
});

Deno.test("the notification of a forgotten container is accepted once", async () => {
  const { connection, guest } = await open();
  connection.watchContainer("web").forget();
  await guest.send(0x30100101, 0, notification);
  const call = connection.call("Start", "db", {});
  await guest.answer(await guest.receive());
  await call;
  await guest.send(0x30100101, 0, notification);
  const { error } = await connection.ended;
  assertStringIncludes(error?.message ?? "", "container web not found");
});

Deno.test("a failed write ends the bridge with the error of the stream", async () => {
  const [ours, theirs] = memoryPair();
  const guest = new ScriptedPeer(theirs);
  let broken = false;
  const opening = GuestConnection.open({
    ...ours,
    write: (bytes) =>
      broken
        ? Promise.reject(new Error("the socket is gone"))
        : ours.write(bytes),
  }, { log });
  await guest.welcome();
  const connection = await opening;
  broken = true;
  await assertRejects(
    () => connection.call("Start", "web", {}),
    ShimError,
    "bridge closed: the socket is gone",
  );
  assertEquals((await connection.ended).error?.message, "the socket is gone");
});
