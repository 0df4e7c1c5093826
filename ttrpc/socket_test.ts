/** The server over a real Unix socket, as containerd meets it. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../base/clock.ts";
import { connDuplex, listenerDuplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import { TtrpcClient } from "./client.ts";
import { TtrpcServer } from "./server.ts";
import { Echo, RawPeer, text } from "./testing.ts";

Deno.test("over a Unix socket: large calls, garbage beside them, the last reply leaves", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/s`;
  const server = new TtrpcServer({ log: silentLogger, clock: systemClock });
  const over = Promise.withResolvers<void>();
  server.register(Echo, {
    Say(request, { afterReply }) {
      if (request.typeUrl === "shutdown") {
        afterReply(() => server.shutdown().then(over.resolve));
      }
      return Promise.resolve(request);
    },
  });
  const serving = server.serve(
    listenerDuplex(Deno.listen({ transport: "unix", path })),
  );
  const dial = async () =>
    connDuplex(await Deno.connect({ transport: "unix", path }));
  const client = new TtrpcClient(await dial());
  const other = new RawPeer(await dial());
  const value = crypto.getRandomValues(new Uint8Array(60_000));
  const calls = Array.from(
    { length: 50 },
    (_, n) => client.call(Echo, "Say", { typeUrl: `${n}`, value }),
  );
  await other.send("ffffffff00000001010000");
  const replies = await Promise.all(calls);
  assertEquals(replies.map(({ typeUrl }) => Number(typeUrl)), [
    ...calls.keys(),
  ]);
  for (const reply of replies) assertEquals(reply.value, value);
  await other.close();

  const { typeUrl } = await client.call(Echo, "Say", text("shutdown"));
  assertEquals(typeUrl, "shutdown");
  await Promise.all([serving, over.promise, client.closed]);
  assertEquals([server.connections, client.activeCalls], [0, 0]);
  const error = await assertRejects(
    () => client.call(Echo, "Say", text("late")),
    ShimError,
  );
  assert(error.code === "Unavailable");
  await client.close();
  await Deno.remove(folder, { recursive: true });
});
