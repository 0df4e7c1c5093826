/** Nothing that a client sends crashes or hangs the server, or touches another client. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Duplex, memoryPair } from "../../base/duplex.ts";
import { Request } from "../../ttrpc/api/envelope.gen.ts";
import { TtrpcClient } from "../../ttrpc/client.ts";
import { encodeFrame } from "../../ttrpc/frames.ts";
import {
  Echo,
  type EchoServer,
  echoServer,
  text,
} from "../../ttrpc/testing.ts";

/** About a second each; a run that does not end in time hangs. */
const runs = { numRuns: 4000, timeout: 2000 };

/** Requests that the server understands, more or less. */
const request: fc.Arbitrary<Uint8Array> = fc.record({
  service: fc.oneof(fc.constant("test.Echo"), fc.string()),
  method: fc.oneof(fc.constantFrom("Say", "Watch", "Missing"), fc.string()),
  payload: fc.uint8Array({ maxLength: 40 }),
  timeoutNano: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  metadata: fc.array(fc.record({ key: fc.string(), value: fc.string() }), {
    maxLength: 3,
  }),
}).map((request) => Request.encode(request));

/** Frames from well formed to absurd. */
const frame: fc.Arbitrary<Uint8Array> = fc.record({
  id: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.nat(0xffff_ffff)),
  type: fc.oneof(fc.constantFrom(1, 1, 1, 2, 3, 3), fc.nat(255)),
  flags: fc.oneof(fc.nat(7), fc.nat(255)),
  data: fc.oneof(request, fc.uint8Array({ maxLength: 60 })),
  length: fc.option(fc.oneof(fc.nat(100), fc.nat(0xffff_ffff)), { freq: 8 }),
}).map(({ id, type, flags, data, length }) => {
  const bytes = encodeFrame(id, type, flags, data);
  if (length !== null) new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
});

/** What one client sends, in pieces. */
const traffic: fc.Arbitrary<Uint8Array[]> = fc.array(
  fc.oneof({ weight: 4, arbitrary: frame }, fc.uint8Array({ maxLength: 64 })),
  { maxLength: 30 },
);

function server(): EchoServer {
  return echoServer({
    async Watch(request, { signal }, send) {
      for (let n = 0; n < 3 && !signal.aborted; n++) await send(request);
    },
  });
}

/** Reads until the server has closed the connection. */
async function drain(stream: Duplex): Promise<void> {
  const buffer = new Uint8Array(4096);
  while (await stream.read(buffer) !== null);
}

Deno.test("random frames never crash or hang a server, nor disturb another client", async () => {
  const echo = server();
  const other = new TtrpcClient(echo.connect());
  await fc.assert(
    fc.asyncProperty(traffic, async (pieces) => {
      const stream = echo.connect();
      const drained = drain(stream);
      for (const piece of pieces) {
        await stream.write(piece);
        assertEquals((await other.call(Echo, "Say", text("hi"))).typeUrl, "hi");
      }
      await stream.closeWrite();
      await drained;
      await stream.close();
      assertEquals(echo.server.connections, 1);
      assertEquals([echo.server.activeCalls, other.activeCalls], [0, 0]);
    }),
    runs,
  );
  await other.close();
  await echo.server.shutdown();
  assertEquals(echo.clock.sleepers, 0);
});

Deno.test("random frames never crash or hang a client", async () => {
  await fc.assert(
    fc.asyncProperty(traffic, async (pieces) => {
      const [stream, theirs] = memoryPair();
      const client = new TtrpcClient(theirs);
      const drained = drain(stream);
      const outcomes = [
        client.call(Echo, "Say", text("a")),
        client.stream(Echo, "Watch", text("b")).next(),
        client.call(Echo, "Say", text("c")),
      ].map((call) => call.then(() => "done", () => "failed"));
      for (const piece of pieces) await stream.write(piece);
      await stream.close();
      await client.closed;
      await drained;
      await Promise.all(outcomes);
      await client.close();
    }),
    runs,
  );
});
