import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { type Duplex, memoryPair } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import { jsonLogger, silentLogger as log } from "../base/log.ts";
import type { BridgeEnd } from "./errors.ts";
import { fakeHandlers } from "./fake_handlers.ts";
import { requestTypes } from "./message_types.ts";
import { ScriptedPeer } from "./scripted_peer.ts";
import { activity, base, exitOf, negotiate, serve } from "./served_bridge.ts";
import { GuestBridge } from "./server.ts";

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
