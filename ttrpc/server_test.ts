import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { type ErrorCode, ShimError } from "../base/errors.ts";
import { jsonLogger } from "../base/log.ts";
import { AsyncQueue } from "../base/queue.ts";
import type { Any } from "./api/any.gen.ts";
import { TtrpcClient } from "./client.ts";
import { requestFrame } from "./envelope.ts";
import type { CallContext } from "./handlers.ts";
import { Echo, type EchoServer, echoServer, RawPeer, text } from "./testing.ts";

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Resolves when the signal aborts, with its reason. */
function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener("abort", () => resolve(signal.reason));
  });
}

async function codeOf(call: Promise<unknown>): Promise<[ErrorCode, string]> {
  const error = await assertRejects(() => call, ShimError);
  return [error.code, error.message];
}

async function end(echo: EchoServer, ...clients: TtrpcClient[]): Promise<void> {
  for (const client of clients) await client.close();
  await echo.server.shutdown();
  assertEquals([echo.server.activeCalls, echo.server.connections], [0, 0]);
}

Deno.test("5: requests run concurrently and are answered as they complete", async () => {
  const held = new Map<string, PromiseWithResolvers<void>>();
  const echo = echoServer({
    async Say(request) {
      const wait = Promise.withResolvers<void>();
      held.set(request.typeUrl, wait);
      await wait.promise;
      return request;
    },
  });
  const client = new TtrpcClient(echo.connect());
  const order: string[] = [];
  const calls = ["a", "b", "c"].map((name) =>
    client.call(Echo, "Say", text(name)).then(({ typeUrl }) =>
      order.push(typeUrl)
    )
  );
  await tick();
  assertEquals([held.size, echo.server.activeCalls], [3, 3]);
  for (const name of ["c", "a", "b"]) {
    held.get(name)?.resolve();
    await tick();
  }
  await Promise.all(calls);
  assertEquals(order, ["c", "a", "b"]);
  await end(echo, client);
});

Deno.test("4: what a handler throws becomes a class and a message", async () => {
  const canceled = AbortSignal.abort().reason;
  const thrown: [unknown, ErrorCode, string][] = [
    [new ShimError("AlreadyExists", "there"), "AlreadyExists", "there"],
    [new Error("plain"), "Unknown", "plain"],
    ["text", "Unknown", "text"],
    [new Deno.errors.AlreadyExists("e"), "AlreadyExists", "e"],
    [new Deno.errors.NotFound("n"), "NotFound", "n"],
    [new Deno.errors.PermissionDenied("p"), "PermissionDenied", "p"],
    [new Deno.errors.UnexpectedEof("f"), "OutOfRange", "f"],
    [new Deno.errors.BrokenPipe("b"), "FailedPrecondition", "b"],
    [canceled, "Canceled", canceled.message],
    [
      new Error("outer", { cause: new ShimError("Aborted", "inner") }),
      "Aborted",
      "outer",
    ],
    [
      new AggregateError([new Error("x"), new ShimError("DataLoss", "y")]),
      "DataLoss",
      "x",
    ],
    [
      new SuppressedError(
        new Error("second"),
        new ShimError("Internal", "first"),
      ),
      "Internal",
      "first",
    ],
  ];
  let next: unknown;
  const echo = echoServer({
    Say: () => {
      throw next; // not even a promise
    },
  });
  const client = new TtrpcClient(echo.connect());
  for (const [error, code, message] of thrown) {
    next = error;
    assertEquals(await codeOf(client.call(Echo, "Say", {})), [code, message]);
  }
  await end(echo, client);
});

Deno.test("4: no response without an error is Unknown, never an empty reply", async () => {
  const echo = echoServer({
    Say: () => Promise.resolve(undefined as unknown as Any),
  });
  const client = new TtrpcClient(echo.connect());
  assertEquals(await codeOf(client.call(Echo, "Say", {})), [
    "Unknown",
    "ttrpc: marshal called with nil",
  ]);
  await end(echo, client);
});

Deno.test("a reply that is too large is ResourceExhausted, the connection stays", async () => {
  const echo = echoServer({
    Say: ({ typeUrl }) =>
      Promise.resolve({ value: new Uint8Array(Number(typeUrl)) }),
  });
  const client = new TtrpcClient(echo.connect());
  // 4 MiB less the tags and lengths of the payload and of its value.
  const { value } = await client.call(Echo, "Say", text("4194294"));
  assertEquals(value.length, 4194294);
  assertEquals(await codeOf(client.call(Echo, "Say", text("4194295"))), [
    "ResourceExhausted",
    "message length 4194305 exceed maximum message size of 4194304",
  ]);
  assertEquals((await client.call(Echo, "Say", text("1"))).value.length, 1);
  await end(echo, client);
});

Deno.test("6: the request's timeout aborts the signal, the handler makes the reply", async () => {
  const echo = echoServer({
    async Say(request, { signal }) {
      const reason = await aborted(signal);
      if (request.typeUrl === "pass on") throw reason;
      return text("survived");
    },
  });
  const peer = new RawPeer(echo.connect());
  const ask = (id: number, name: string, timeoutNano: bigint) =>
    peer.write(requestFrame(id, 0, {
      service: "test.Echo",
      method: "Say",
      payload: new Uint8Array([
        0x0a,
        name.length,
        ...new TextEncoder().encode(name),
      ]),
      timeoutNano,
      metadata: [],
    }));
  await ask(1, "pass on", 1_500_000_000n);
  await ask(3, "keep", 2_000_000_000n);
  await tick();
  assertEquals([echo.clock.sleepers, echo.server.activeCalls], [2, 2]);
  await echo.clock.advance(1499);
  assertEquals(echo.server.activeCalls, 2);
  await echo.clock.advance(1);
  assertEquals(await peer.receiveStatus(), {
    id: 1,
    code: 4,
    message: "test.Echo/Say took longer than 1500 ms",
  });
  await echo.clock.advance(500);
  assertEquals(await peer.receiveStatus(), { id: 3 });
  await ask(5, "pass on", -1n); // over already
  assertEquals((await peer.receiveStatus()).code, 4);
  await ask(7, "pass on", 500_000n); // not over before the next millisecond
  await tick();
  assertEquals([echo.clock.sleepers, echo.server.activeCalls], [1, 1]);
  await echo.clock.advance(1);
  assertEquals((await peer.receiveStatus()).code, 4);
  await peer.close();
  await end(echo);
});

Deno.test("6: timers end with their calls, and longer ones than timers can be", async () => {
  let context: CallContext | undefined;
  const held = Promise.withResolvers<Partial<Any>>();
  const echo = echoServer({
    Say: (request, call) => {
      if (request.typeUrl === "now") return Promise.resolve(request);
      context = call;
      return held.promise;
    },
  });
  const client = new TtrpcClient(echo.connect(), { clock: new FakeClock() });
  await client.call(Echo, "Say", text("now"), { timeoutMs: 1000 });
  assertEquals(echo.clock.sleepers, 0);
  const long = client.call(Echo, "Say", text("long"), {
    timeoutMs: 3 * 2 ** 31,
  });
  await tick();
  await echo.clock.advance(2 ** 31);
  assertEquals([context?.signal.aborted, echo.clock.sleepers], [false, 1]);
  held.resolve({});
  await long;
  assertEquals(echo.clock.sleepers, 0);
  await end(echo, client);
});

Deno.test("10: a client that does not read its replies does not stop the reader", async () => {
  const seen = new AsyncQueue<string>({ capacity: 100 });
  const echo = echoServer({
    Say(request) {
      seen.push(request.typeUrl);
      return Promise.resolve({ value: new Uint8Array(1 << 20) });
    },
  });
  const stream = echo.connect();
  const names = Array.from({ length: 20 }, (_, n) => `call ${n}`);
  const client = new TtrpcClient({
    ...stream,
    read: () => new Promise(() => {}), // never reads
  });
  const calls = names.map((name) =>
    client.call(Echo, "Say", text(name)).catch((error) => error)
  );
  const got: string[] = [];
  for await (const name of seen) {
    got.push(name);
    if (got.length === names.length) seen.close();
  }
  assertEquals(got, names);
  await stream.close();
  await tick();
  assertEquals(echo.server.connections, 0);
  await end(echo);
  void calls; // they wait for a read that never comes
});

Deno.test("a client that floods without reading is dropped, others stay", async () => {
  const lines: string[] = [];
  const echo = echoServer({}, {
    log: jsonLogger((line) => lines.push(line)),
    limits: { unsentFrames: 50 },
  });
  const flood = new RawPeer(echo.connect());
  const other = new TtrpcClient(echo.connect());
  const bad = new Uint8Array(10);
  let sent = 0;
  await assertRejects(async () => {
    for (; sent < 100_000; sent++) await flood.write(bad);
  }, ShimError);
  await tick();
  assertEquals(echo.server.connections, 1);
  assert(lines.some((line) => line.includes("Peer does not read")));
  assertEquals((await other.call(Echo, "Say", text("ok"))).typeUrl, "ok");
  await end(echo, other);
});

Deno.test("calls beyond the bounds of a connection are ResourceExhausted", async () => {
  const held = Promise.withResolvers<Partial<Any>>();
  const echo = echoServer({ Say: () => held.promise }, {
    limits: { calls: 3, requestBytes: 1000 },
  });
  const client = new TtrpcClient(echo.connect());
  const other = new TtrpcClient(echo.connect());
  const heavy = (): Promise<Any> =>
    client.call(Echo, "Say", text("x".repeat(900)));
  const calls = [client.call(Echo, "Say", {}), heavy()];
  const [large] = await codeOf(client.call(Echo, "Say", text("x".repeat(100))));
  calls.push(client.call(Echo, "Say", {}));
  const [many, message] = await codeOf(client.call(Echo, "Say", {}));
  assertEquals([large, many], ["ResourceExhausted", "ResourceExhausted"]);
  assert(message.startsWith("Too many calls on this connection: 3 ("));
  calls.push(other.call(Echo, "Say", {})); // bounds are per connection
  await tick();
  assertEquals(echo.server.activeCalls, 4);
  held.resolve({});
  await Promise.all(calls);
  await heavy(); // calls that are over no longer count
  await end(echo, client, other);
});

Deno.test("long waits leave room for other calls", async () => {
  const held = Promise.withResolvers<void>();
  const echo = echoServer({ Watch: () => held.promise }, {
    limits: { calls: 3, callsBesideWaits: 1 },
  });
  const client = new TtrpcClient(echo.connect());
  const watch = () => client.stream(Echo, "Watch", {}).next();
  const watching = [watch(), watch()];
  const [code, message] = await codeOf(watch());
  assertEquals(code, "ResourceExhausted");
  assert(message.startsWith("Too many calls on this connection: 2 ("));
  const { typeUrl } = await client.call(Echo, "Say", text("still answered"));
  assertEquals(typeUrl, "still answered");
  held.resolve();
  await Promise.all(watching);
  await watch(); // there is room again
  await end(echo, client);
});

Deno.test("11: 4000 calls leave nothing behind", async () => {
  const echo = echoServer({
    Watch: (request, _context, send) => send(request),
  });
  const client = new TtrpcClient(echo.connect());
  for (let batch = 0; batch < 40; batch++) {
    await Promise.all(
      Array.from(
        { length: 100 },
        (_, n) =>
          n % 10 === 0
            ? client.call(Echo, "Missing", {}).catch(() => {})
            : client.call(
              Echo,
              "Say",
              text("x"),
              n % 10 === 1 ? { timeoutMs: 1e6 } : {},
            ),
      ),
    );
  }
  for (let n = 0; n < 100; n++) {
    for await (const { typeUrl } of client.stream(Echo, "Watch", text("w"))) {
      assertEquals(typeUrl, "w");
    }
  }
  assertEquals(
    [echo.server.activeCalls, client.activeCalls, echo.clock.sleepers],
    [0, 0, 0],
  );
  await end(echo, client);
});

Deno.test("metadata reaches the handler by lower-case key, values in order", async () => {
  let metadata: CallContext["metadata"] | undefined;
  const echo = echoServer({
    Say(request, context) {
      metadata = context.metadata;
      assertEquals([context.service, context.method], ["test.Echo", "Say"]);
      return Promise.resolve(request);
    },
  });
  const client = new TtrpcClient(echo.connect());
  await client.call(Echo, "Say", {}, {
    metadata: { Traceparent: "00-1", list: ["a", "b"] },
  });
  assertEquals(
    metadata,
    new Map([["traceparent", ["00-1"]], ["list", ["a", "b"]]]),
  );
  await end(echo, client);
});

Deno.test("afterReply() runs behind the reply, failures are logged", async () => {
  const lines: string[] = [];
  const order: string[] = [];
  const late = Promise.withResolvers<CallContext>();
  const echo = echoServer({
    Say(request, context) {
      context.afterReply(() => Promise.reject(new Error("oops")));
      context.afterReply(() => void order.push(`second ${request.typeUrl}`));
      late.resolve(context);
      return Promise.resolve(request);
    },
  }, { log: jsonLogger((line) => lines.push(line)) });
  const client = new TtrpcClient(echo.connect());
  await client.call(Echo, "Say", text("x"));
  (await late.promise).afterReply(() => void order.push("late"));
  await tick();
  assertEquals(order, ["second x", "late"]);
  assert(lines[0]?.includes("Work after the reply of test.Echo/Say failed"));
  assert(lines[0]?.includes("oops"));
  await end(echo, client);
});

Deno.test("register() refuses a name that is taken", () => {
  const { server } = echoServer();
  const error = assertThrows(
    () => server.register(Echo, {}),
    ShimError,
    'Service "test.Echo" is already registered',
  );
  assertEquals(error.code, "AlreadyExists");
});
