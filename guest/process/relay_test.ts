import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { type Duplex, memoryPair } from "../../base/duplex.ts";
import { silentLogger as log } from "../../base/log.ts";
import { Relay } from "./relay.ts";

function relayOf(clock: FakeClock): {
  relay: Relay;
  process: { stdin: Duplex; stdout: Duplex };
  host: { stdin: Duplex; stdout: Duplex };
} {
  const [processIn, agentIn] = memoryPair();
  const [processOut, agentOut] = memoryPair();
  const [hostIn, socketIn] = memoryPair();
  const [hostOut, socketOut] = memoryPair();
  const relay = new Relay(
    { stdin: agentIn, stdout: agentOut },
    { stdin: socketIn, stdout: socketOut },
    { clock, log, drainGrace: 1000, drainLimit: 30_000 },
  );
  return {
    relay,
    process: { stdin: processIn, stdout: processOut },
    host: { stdin: hostIn, stdout: hostOut },
  };
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function read(stream: Duplex): Promise<string | null> {
  const buffer = new Uint8Array(1 << 20);
  const n = await stream.read(buffer);
  return n === null ? null : new TextDecoder().decode(buffer.subarray(0, n));
}

Deno.test("a relay carries input to its end, and output until the host closes", async () => {
  const { relay, process, host } = relayOf(new FakeClock());
  await host.stdin.write(text("in"));
  assertEquals(await read(process.stdin), "in");
  await host.stdin.closeWrite();
  assertEquals(await read(process.stdin), null);
  await process.stdout.write(text("out"));
  await process.stdout.close();
  assertEquals(await read(host.stdout), "out");
  assertEquals(await read(host.stdout), null);
  let finished = false;
  const finish = relay.finish().then(() => finished = true);
  await Promise.resolve();
  assert(!finished);
  await host.stdout.close();
  await finish;
});

Deno.test("a grandchild that holds the output is waited for no longer than the grace", async () => {
  const clock = new FakeClock();
  const { relay, process, host } = relayOf(clock);
  await process.stdout.write(text("late"));
  const finish = relay.finish();
  assertEquals(await read(host.stdout), "late");
  await clock.advance(999);
  await process.stdout.write(text("later"));
  assertEquals(await read(host.stdout), "later");
  await clock.advance(1);
  await clock.advance(50);
  assertEquals(await read(host.stdout), null);
  await host.stdout.close();
  await finish;
});

Deno.test("what a slow host has not read at the end of the grace still reaches it", async () => {
  const clock = new FakeClock();
  const { relay, process, host } = relayOf(clock);
  const chunk = new Uint8Array(100_000).fill(97);
  const writes = (async (): Promise<void> => {
    for (let i = 0; i < 8; i++) await process.stdout.write(chunk);
    await process.stdout.close();
  })();
  const finish = relay.finish();
  await clock.advance(5000);
  let bytes = 0;
  for (let part; (part = await read(host.stdout)) !== null;) {
    bytes += part.length;
  }
  await writes;
  assertEquals(bytes, 800_000);
  await host.stdout.close();
  await finish;
});

Deno.test("a process whose host is gone neither blocks nor ends", async () => {
  const { relay, process, host } = relayOf(new FakeClock());
  await host.stdout.close();
  for (let i = 0; i < 20; i++) {
    await process.stdout.write(new Uint8Array(100_000));
  }
  await process.stdout.close();
  await relay.finish();
});

Deno.test("a process that reads no input ends the host's writing", async () => {
  const { relay, process, host } = relayOf(new FakeClock());
  await process.stdin.close();
  await process.stdout.close();
  await host.stdin.write(text("lost"));
  assertEquals(await read(host.stdin), null);
  await host.stdout.close();
  await relay.finish();
});

Deno.test("a host that takes nothing of an exited process's output is given up after the limit", async () => {
  const clock = new FakeClock();
  const { relay, process, host } = relayOf(clock);
  const printed = process.stdout.write(new Uint8Array(10_000_000))
    .catch(() => {}); // what nobody takes is cut off
  const finish = relay.finish();
  let finished = false;
  finish.then(() => finished = true);
  await clock.advance(29_999);
  assert(!finished);
  await clock.advance(1); // until here, some was taken
  await clock.advance(30_000);
  await printed;
  await process.stdout.close();
  await finish;
  await host.stdin.close();
});
