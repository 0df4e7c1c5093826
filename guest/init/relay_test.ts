import { assertEquals } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { type Duplex, memoryPair } from "../../base/duplex.ts";
import { relayOutput } from "./relay.ts";

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Output of a program, piece by piece. */
function output(...pieces: string[]) {
  const rest = pieces.map((piece) => new TextEncoder().encode(piece));
  return {
    read: (buffer: Uint8Array) => {
      const piece = rest.shift();
      if (piece === undefined) return Promise.resolve(null);
      buffer.set(piece);
      return Promise.resolve(piece.length);
    },
  };
}

async function received(stream: Duplex): Promise<string> {
  const buffer = new Uint8Array(100);
  let all = "";
  for (let n; (n = await stream.read(buffer)) !== null;) {
    all += text(buffer.subarray(0, n));
  }
  return all;
}

Deno.test("relayOutput() dials until it reaches the host", async () => {
  const clock = new FakeClock();
  const [near, far] = memoryPair();
  let attempts = 0;
  const relayed = relayOutput(output("one ", "two"), {
    clock,
    dial: () =>
      Promise.try(() => {
        if (++attempts < 3) throw new Error("nobody");
        return near;
      }),
  });
  await clock.advance(100);
  await clock.advance(100);
  assertEquals(await received(far), "one two");
  await relayed;
  assertEquals(attempts, 3);
});

Deno.test("relayOutput() sends again what a lost connection did not take", async () => {
  const [lost, lostFar] = memoryPair();
  await lostFar.close();
  const [near, far] = memoryPair();
  const streams = [lost, near];
  const relayed = relayOutput(output("kept"), {
    clock: new FakeClock(),
    dial: () => Promise.resolve(streams.shift()!),
  });
  assertEquals(await received(far), "kept");
  await relayed;
});
