import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { memoryPair } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { Any } from "./api/any.gen.ts";
import { Request, Response } from "./api/envelope.gen.ts";
import { TtrpcClient, type TtrpcClientOptions } from "./client.ts";
import { replyFrame, statusFrame } from "./envelope.ts";
import { encodeFrame, FrameType } from "./frames.ts";
import type { ServiceType } from "./message.ts";
import { toStatus } from "./status.ts";
import { Echo, RawPeer, text } from "./testing.ts";

/** A client and the raw server behind it. */
function clientAndServer(
  options?: TtrpcClientOptions,
): { client: TtrpcClient; server: RawPeer } {
  const [ours, theirs] = memoryPair();
  return {
    client: new TtrpcClient(ours, options),
    server: new RawPeer(theirs),
  };
}

/** The next request that the raw server reads. */
async function requestOf(server: RawPeer): Promise<Request> {
  const frame = await server.receive();
  assert(frame?.data !== undefined && frame.type === FrameType.Request);
  return Request.decode(frame.data);
}

function reply(id: number, value: string): Uint8Array {
  return replyFrame(id, Any.encode(text(value)));
}

Deno.test("call() numbers its requests 1, 3, 5 and matches replies by stream", async () => {
  const { client, server } = clientAndServer();
  const calls = ["a", "b", "c"].map((name) =>
    client.call(Echo, "Say", text(name))
  );
  for (const id of [1, 3, 5]) {
    const frame = await server.receive();
    assertEquals([frame?.streamId, frame?.type, frame?.flags], [id, 1, 0]);
  }
  for (const id of [5, 1, 3]) await server.write(reply(id, `for ${id}`));
  assertEquals((await Promise.all(calls)).map(({ typeUrl }) => typeUrl), [
    "for 1",
    "for 3",
    "for 5",
  ]);
  assertEquals(client.activeCalls, 0);
  await client.close();
});

Deno.test("call() sends service, method, payload, timeout and metadata", async () => {
  const { client, server } = clientAndServer({ clock: new FakeClock() });
  const call = client.call(Echo, "Say", text("hi"), {
    timeoutMs: 1.5,
    metadata: { Key: ["1", "2"], baggage: "x" },
  });
  assertEquals(await requestOf(server), {
    service: "test.Echo",
    method: "Say",
    payload: Uint8Array.fromHex("0a026869"),
    timeoutNano: 1_500_000n,
    metadata: [
      { key: "key", value: "1" },
      { key: "key", value: "2" },
      { key: "baggage", value: "x" },
    ],
  });
  await server.write(reply(1, "ok"));
  await call;
  await client.close();
});

Deno.test("call() gives up at its timeout or its signal and ignores the late reply", async () => {
  const clock = new FakeClock();
  const { client, server } = clientAndServer({ clock });
  const abort = new AbortController();
  const timed = client.call(Echo, "Say", {}, { timeoutMs: 100 });
  const aborted = client.call(Echo, "Say", {}, { signal: abort.signal });
  const kept = client.call(Echo, "Say", {});
  timed.catch(() => {}); // looked at below
  await clock.advance(100);
  abort.abort(new Error("enough"));
  const error = await assertRejects(() => timed, DOMException);
  assertEquals(
    [error.name, error.message],
    ["TimeoutError", "test.Echo/Say took longer than 100 ms"],
  );
  await assertRejects(() => aborted, Error, "enough");
  assertEquals([client.activeCalls, clock.sleepers], [1, 0]);
  for (const id of [1, 3, 5]) await server.write(reply(id, `for ${id}`));
  assertEquals((await kept).typeUrl, "for 5");
  const { signal } = abort;
  await assertRejects(
    () => client.call(Echo, "Say", {}, { signal }),
    Error,
    "enough",
  );
  await client.close();
});

Deno.test("call() rejects with the class of the status", async () => {
  const { client, server } = clientAndServer();
  const statuses = [
    toStatus(new ShimError("FailedPrecondition", "not now")),
    { code: 99, message: "from later", details: [] },
    { code: 5, message: "", details: [] },
  ];
  const errors = statuses.map(() =>
    client.call(Echo, "Say", {}).catch((error) => error)
  );
  for (const [n, status] of statuses.entries()) {
    await server.write(statusFrame(2 * n + 1, status));
  }
  assertEquals(
    (await Promise.all(errors)).map(({ code, message }) => [code, message]),
    [
      ["FailedPrecondition", "not now"],
      ["Unknown", "from later"],
      ["NotFound", "NotFound"],
    ],
  );
  await client.close();
});

Deno.test("call() takes a status with code 0 for a success", async () => {
  const { client, server } = clientAndServer();
  const call = client.call(Echo, "Say", {});
  const data = Response.encode({
    status: { code: 0, message: "", details: [] },
    payload: Any.encode(text("fine")),
  });
  await server.write(encodeFrame(1, FrameType.Response, 0, data));
  assertEquals((await call).typeUrl, "fine");
  await client.close();
});

Deno.test("call() fails alone when its request is too large", async () => {
  const { client, server } = clientAndServer();
  const error = await assertRejects(
    () => client.call(Echo, "Say", { value: new Uint8Array(4 << 20) }),
    ShimError,
    "exceed maximum message size",
  );
  assertEquals([error.code, client.activeCalls], ["ResourceExhausted", 0]);
  const call = client.call(Echo, "Say", {});
  await server.write(reply(1, "next"));
  assertEquals((await call).typeUrl, "next");
  await client.close();
});

Deno.test("call() fails alone when its reply is too large or no reply", async () => {
  const { client, server } = clientAndServer({ limits: { data: 100 } });
  const bad = [
    replyFrame(1, new Uint8Array(101)),
    encodeFrame(3, FrameType.Response, 0, Uint8Array.of(0x0a, 0xff)),
    replyFrame(5, Uint8Array.of(0x0a, 0xff)),
    encodeFrame(7, FrameType.Data, 0, Uint8Array.of()),
  ];
  const errors = bad.map(() =>
    client.call(Echo, "Say", {}).catch((error) => error)
  );
  const good = client.call(Echo, "Say", {});
  for (const frame of bad) await server.write(frame);
  await server.write(encodeFrame(9, 77, 0, Uint8Array.of())); // a later type
  await server.write(reply(9, "good"));
  assertEquals((await Promise.all(errors)).map(({ code }) => code), [
    "ResourceExhausted",
    "Internal",
    "Internal",
    "Internal",
  ]);
  assertEquals((await good).typeUrl, "good");
  await client.close();
});

Deno.test("a lost connection fails calls under way and later ones with Unavailable", async () => {
  for (const garbage of ["", "0000"]) {
    const { client, server } = clientAndServer();
    const call = client.call(Echo, "Say", {});
    call.catch(() => {}); // looked at below
    await server.send(garbage);
    await server.close();
    await client.closed;
    const error = await assertRejects(() => call, ShimError, "Call failed");
    assertEquals([error.code, client.activeCalls], ["Unavailable", 0]);
    const late = await assertRejects(
      () => client.call(Echo, "Say", {}),
      ShimError,
      "Cannot call test.Echo/Say: the connection is closed",
    );
    assertEquals(late.code, "Unavailable");
    await client.close();
  }
});

Deno.test("close() ends calls under way and is idempotent", async () => {
  const { client, server } = clientAndServer();
  const call = client.call(Echo, "Say", {});
  call.catch(() => {}); // looked at below
  await Promise.all([client.close(), client.close()]);
  await assertRejects(() => call, ShimError, "the client was closed");
  await client.closed;
  await server.receive();
  assertEquals(await server.receive(), null);
});

Deno.test("call() refuses a method that the service does not have", async () => {
  const { client } = clientAndServer();
  const untyped: ServiceType = Echo;
  const error = await assertRejects(
    () => client.call(untyped, "Nope" as never, {} as never),
    ShimError,
    "Cannot call test.Echo/Nope: no such method",
  );
  assertEquals(error.code, "NotImplemented");
  await client.close();
});

Deno.test("10: a client whose requests nobody reads still reads its replies", async () => {
  const [ours, theirs] = memoryPair();
  const client = new TtrpcClient({
    ...ours,
    write: () => new Promise(() => {}), // the transport is full
  });
  const call = client.call(Echo, "Say", {});
  await theirs.write(reply(1, "early"));
  assertEquals((await call).typeUrl, "early");
  await theirs.close();
  await client.closed;
});
