import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";
import { TtrpcClient } from "./client.ts";
import { Echo, echoServer, text } from "./testing.ts";

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

async function take(
  stream: AsyncIterable<{ typeUrl: string }>,
): Promise<string[]> {
  const names: string[] = [];
  for await (const { typeUrl } of stream) names.push(typeUrl);
  return names;
}

Deno.test("stream() yields every message, empty ones too, then ends", async () => {
  const echo = echoServer({
    async Watch(request, _context, send) {
      for (const name of ["a", "", "c"]) {
        await send(text(request.typeUrl + name));
      }
    },
  });
  const client = new TtrpcClient(echo.connect());
  assertEquals(await take(client.stream(Echo, "Watch", text(""))), [
    "a",
    "",
    "c",
  ]);
  assertEquals(await take(client.stream(Echo, "Watch", text("x"))), [
    "xa",
    "x",
    "xc",
  ]);
  assertEquals(client.activeCalls, 0);
  await client.close();
  await echo.server.shutdown();
});

Deno.test("stream() fails with the handler's class behind the messages before", async () => {
  const echo = echoServer({
    async Watch(_request, _context, send) {
      await send(text("a"));
      throw new ShimError("DataLoss", "torn");
    },
  });
  const client = new TtrpcClient(echo.connect());
  const stream = client.stream(Echo, "Watch", {});
  assertEquals((await stream.next()).value?.typeUrl, "a");
  const error = await assertRejects(() => stream.next(), ShimError, "torn");
  assertEquals([error.code, client.activeCalls], ["DataLoss", 0]);
  await client.close();
  await echo.server.shutdown();
});

Deno.test("send() refuses a message that is too large and a stream that is over", async () => {
  const caught: string[] = [];
  let later: ((message: { typeUrl: string }) => Promise<void>) | undefined;
  const echo = echoServer({
    async Watch(_request, _context, send) {
      later = send;
      await send({ value: new Uint8Array(4 << 20) }).catch((error) =>
        caught.push((error as ShimError).code)
      );
      await send(text("still here"));
    },
  });
  const client = new TtrpcClient(echo.connect());
  assertEquals(await take(client.stream(Echo, "Watch", {})), ["still here"]);
  await later?.(text("x")).catch((error) =>
    caught.push((error as Error).message)
  );
  assertEquals(caught, [
    "ResourceExhausted",
    "Cannot send: test.Echo/Watch is over",
  ]);
  await client.close();
  await echo.server.shutdown();
});

Deno.test("send() waits for the client and rejects when it leaves", async () => {
  let sent = 0;
  const over = Promise.withResolvers<unknown>();
  const echo = echoServer({
    async Watch(_request, { signal }, send) {
      try {
        for (;; sent++) await send({ value: new Uint8Array(200_000) });
      } catch (error) {
        over.resolve([signal.aborted, (error as ShimError).code]);
        throw error;
      }
    },
  });
  const ours = echo.connect();
  const client = new TtrpcClient({
    ...ours,
    read: () => new Promise(() => {}),
  });
  const first = client.stream(Echo, "Watch", {}).next();
  first.catch(() => {});
  await tick();
  assertEquals(sent, 1); // the second one fills the memory pair
  await ours.close();
  assertEquals(await over.promise, [true, "Canceled"]);
  await echo.server.shutdown();
  assertEquals(echo.server.activeCalls, 0);
});

Deno.test("a slow consumer fails its own stream and no other call", async () => {
  const echo = echoServer({
    async Watch(_request, _context, send) {
      for (let n = 0; n < 100; n++) await send(text(`${n}`));
    },
  });
  const client = new TtrpcClient(echo.connect());
  const stream = client.stream(Echo, "Watch", {});
  assertEquals((await stream.next()).value?.typeUrl, "0");
  await tick();
  assertEquals((await client.call(Echo, "Say", text("hi"))).typeUrl, "hi");
  let got = 1;
  const error = await assertRejects(
    async () => {
      for await (const _ of stream) got++;
    },
    ShimError,
    "Stream is full: 64 messages were not taken",
  );
  assertEquals([error.code, got], ["ResourceExhausted", 65]);
  await client.close();
  await echo.server.shutdown();
});

Deno.test("a consumer that stops early leaves nothing on its side", async () => {
  const echo = echoServer({
    async Watch(_request, _context, send) {
      for (let n = 0; n < 10; n++) await send(text(`${n}`));
    },
  });
  const clock = new FakeClock();
  const client = new TtrpcClient(echo.connect(), { clock });
  const options = { timeoutMs: 1000 };
  for await (const { typeUrl } of client.stream(Echo, "Watch", {}, options)) {
    if (typeUrl === "2") break;
  }
  assertEquals([client.activeCalls, clock.sleepers], [0, 0]);
  assertEquals((await client.call(Echo, "Say", text("hi"))).typeUrl, "hi");
  await client.close();
  await echo.server.shutdown();
});

Deno.test("stream() ends with its timeout, its signal or its connection", async () => {
  const echo = echoServer({
    Watch: (_request, { signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      ),
  });
  const clock = new FakeClock();
  const client = new TtrpcClient(echo.connect(), { clock });
  const timed = client.stream(Echo, "Watch", {}, { timeoutMs: 50 }).next();
  const abort = new AbortController();
  const { signal } = abort;
  const aborted = client.stream(Echo, "Watch", {}, { signal }).next();
  const lost = client.stream(Echo, "Watch", {}).next();
  for (const end of [timed, lost]) end.catch(() => {}); // looked at below
  await clock.advance(50);
  await assertRejects(() => timed, DOMException, "took longer than 50 ms");
  abort.abort(new Error("enough"));
  await assertRejects(() => aborted, Error, "enough");
  assertEquals(client.activeCalls, 1);
  await client.close();
  const error = await assertRejects(
    () => lost,
    ShimError,
    "the client was closed",
  );
  assertEquals([error.code, client.activeCalls], ["Unavailable", 0]);
  await echo.server.shutdown();
});
