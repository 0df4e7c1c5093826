/** How connections of a server begin and end. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import {
  type Duplex,
  type DuplexListener,
  memoryPair,
} from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { jsonLogger, silentLogger } from "../base/log.ts";
import type { Any } from "./api/any.gen.ts";
import { TtrpcClient } from "./client.ts";
import { TtrpcServer } from "./server.ts";
import { Echo, type EchoServer, echoServer, text } from "./testing.ts";

/** A listener that the test feeds with streams and failures. */
class FedListener implements DuplexListener {
  readonly #events: (Duplex | Error)[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  feed(...events: (Duplex | Error)[]): void {
    this.#events.push(...events);
    this.#wake?.();
  }

  async accept(): Promise<Duplex> {
    for (;;) {
      const event = this.#events.shift();
      if (event instanceof Error) throw event;
      if (event !== undefined) return event;
      if (this.#closed) throw new ShimError("Unavailable", "closed");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    return Promise.resolve();
  }
}

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

async function end(echo: EchoServer, ...clients: TtrpcClient[]): Promise<void> {
  for (const client of clients) await client.close();
  await echo.server.shutdown();
  assertEquals([echo.server.activeCalls, echo.server.connections], [0, 0]);
}

Deno.test("7: a client that leaves aborts its own calls and nobody else's", async () => {
  const reasons = new Map<string, unknown>();
  const replied: string[] = [];
  const echo = echoServer({
    async Say(request, { signal, afterReply }) {
      afterReply(() => void replied.push(request.typeUrl));
      reasons.set(request.typeUrl, await aborted(signal));
      throw signal.reason;
    },
  });
  const [one, two] = [echo.connect(), echo.connect()].map((stream) =>
    new TtrpcClient(stream)
  ) as [TtrpcClient, TtrpcClient];
  const calls = [
    one.call(Echo, "Say", text("one")),
    two.call(Echo, "Say", text("two")),
  ].map((call) => call.catch((error) => error));
  await tick();
  await one.close();
  await tick();
  assertEquals([...reasons.keys()], ["one"]);
  assert(reasons.get("one") instanceof ShimError);
  assertEquals((reasons.get("one") as ShimError).code, "Canceled");
  assertEquals(replied, ["one"]);
  assertEquals([echo.server.activeCalls, echo.server.connections], [1, 1]);
  await two.close();
  await Promise.all(calls);
  await end(echo);
});

Deno.test("8: shutdown() closes idle connections, awaits calls, lets their replies leave", async () => {
  const held = Promise.withResolvers<Partial<Any>>();
  const echo = echoServer({ Say: () => held.promise });
  const listener = new FedListener();
  const serving = echo.server.serve(listener);
  const idle = new TtrpcClient(echo.connect());
  const active = new TtrpcClient(echo.connect());
  const call = active.call(Echo, "Say", {});
  await tick();
  let down = false;
  const shutdown = echo.server.shutdown().then(() => down = true);
  await serving;
  await idle.closed;
  assertEquals([listener.closed, down, echo.server.activeCalls], [
    true,
    false,
    1,
  ]);
  const refused = await assertRejects(
    () => active.call(Echo, "Say", {}),
    ShimError,
    "Cannot call test.Echo/Say: the server shuts down",
  );
  assertEquals(refused.code, "Unavailable");
  held.resolve(text("last words"));
  assertEquals((await call).typeUrl, "last words");
  await shutdown;
  await active.closed;
  const late = new TtrpcClient(echo.connect());
  await late.closed;
  await end(echo, idle, active, late);
});

Deno.test("8: a handler ends its server after its reply", async () => {
  const over = Promise.withResolvers<void>();
  const echo = echoServer({
    Say(request, { afterReply }) {
      afterReply(() => echo.server.shutdown().then(over.resolve));
      return Promise.resolve(request);
    },
  });
  const client = new TtrpcClient(echo.connect());
  assertEquals((await client.call(Echo, "Say", text("bye"))).typeUrl, "bye");
  await over.promise;
  await client.closed;
  await end(echo);
});

Deno.test("8: shutdown(signal) cuts off what does not end in time", async () => {
  const lines: string[] = [];
  const never = Promise.withResolvers<Partial<Any>>();
  let signal: AbortSignal | undefined;
  const echo = echoServer({
    Say(_request, context) {
      signal = context.signal;
      return never.promise;
    },
  }, { log: jsonLogger((line) => lines.push(line)) });
  const client = new TtrpcClient(echo.connect());
  const call = client.call(Echo, "Say", {}).catch((error) => error);
  await tick();
  await echo.server.shutdown(AbortSignal.abort(new Error("late")));
  assertEquals(signal?.aborted, true);
  assertEquals(((await call) as ShimError).code, "Unavailable");
  assert(lines[0]?.includes('"msg":"Shutdown cuts off calls","calls":1'));
  assertEquals(echo.server.activeCalls, 1); // its handler listens to nothing
  never.resolve({});
  await end(echo, client);
});

Deno.test("9: serve() pauses after failed accepts, longer each time, then goes on", async () => {
  const clock = new FakeClock();
  const server = new TtrpcServer({ log: silentLogger, clock });
  const listener = new FedListener();
  const failures = Array.from(
    { length: 14 },
    () => new Error("no descriptors"),
  );
  const [ours, theirs] = memoryPair();
  listener.feed(...failures, theirs);
  const serving = server.serve(listener);
  await tick();
  assertEquals([clock.sleepers, server.connections], [1, 0]);
  await clock.advance(512); // at least half of 1 + 2 + … + 512 ms have to pass
  await clock.advance(0);
  assertEquals(server.connections, 0);
  await clock.advance(6000);
  assertEquals(server.connections, 1);
  const [later, accepted] = memoryPair();
  listener.feed(new Error("no descriptors"), accepted);
  await clock.advance(1); // a success has made the next pause short again
  assertEquals(server.connections, 2);
  await server.close();
  await serving;
  await ours.close();
  await later.close();
  assertEquals(clock.sleepers, 0);
});

Deno.test("serve() of a server that is closed closes the listener", async () => {
  const { server } = echoServer();
  await server.close();
  const listener = new FedListener();
  await server.serve(listener);
  assert(listener.closed);
});

Deno.test("serve() ends when its listener is closed by its owner", async () => {
  const { server } = echoServer();
  const listener = new FedListener();
  const serving = server.serve(listener);
  await listener.close();
  await serving;
  await server.close();
});
