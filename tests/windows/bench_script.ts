/**
 * Runs under Wine: times pipes and Hyper-V sockets on the completion port, beside
 * the alternative of one blocked thread per stream, and calls of the compute
 * service. Prints one JSON object: milliseconds by name.
 *
 * Usage: `bench_script.ts RUNTIME_ID`
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import type { Duplex, DuplexListener } from "../../base/duplex.ts";
import { VmCompute } from "../../ffi/windows/compute/vmcompute.ts";
import { systemVmCompute } from "../../ffi/windows/compute/vmcompute_library.ts";
import { dialHv } from "../../ffi/windows/io/hv_dial.ts";
import { HvListener } from "../../ffi/windows/io/hv_listener.ts";
import { dialPipe } from "../../ffi/windows/io/pipe.ts";
import { PipeListener } from "../../ffi/windows/io/pipe_listener.ts";
import { WindowsIo } from "../../ffi/windows/io/windows_io.ts";
import { dialPipeBlocking, dialSocketBlocking } from "./thread_streams.ts";

const [runtimeId = ""] = Deno.args;
const io = new WindowsIo();
const pipeName = "\\\\.\\pipe\\lcow-bench";
const port = 4711;
const options = { clock: systemClock, busyLimit: 10_000 };

/** Bytes of a ping, and how many times it goes back and forth on each stream. */
const pingBytes = 1024;
const pings = 40;

/** Bytes of one write of the bulk test, and bytes of each stream. */
const bulkWrite = 64 * 1024;
const bulkBytes: Readonly<Record<number, number>> = {
  1: 16 * 1024 * 1024,
  2: 8 * 1024 * 1024,
  64: 512 * 1024,
};

async function readBytes(stream: Duplex, count: number): Promise<void> {
  const buffer = new Uint8Array(bulkWrite);
  for (let left = count; left > 0;) {
    const n = await stream.read(buffer.subarray(0, Math.min(left, bulkWrite)));
    if (n === null) throw new Error("The stream ended early");
    left -= n;
  }
}

/** Answers pings, then takes bulk data and confirms it with one byte. */
async function answer(stream: Duplex, bulk: number): Promise<void> {
  const ping = new Uint8Array(pingBytes);
  for (let i = 0; i < pings; i++) {
    await readBytes(stream, pingBytes);
    await stream.write(ping);
  }
  await readBytes(stream, bulk);
  await stream.write(new Uint8Array(1));
  await readBytes(stream, 1);
  await stream.close();
}

const kinds: Readonly<
  Record<string, { listen(): DuplexListener; dial: Record<string, Dial> }>
> = {
  pipe: {
    listen: () => PipeListener.open(io, pipeName),
    dial: {
      port: () => dialPipe(io, pipeName, options),
      threads: () => dialPipeBlocking(pipeName),
    },
  },
  socket: {
    listen: () => HvListener.open(io, runtimeId, port),
    dial: {
      port: () => dialHv(io, runtimeId, port),
      threads: () => dialSocketBlocking(io.libraries.ws2_32, runtimeId, port),
    },
  },
};

type Dial = () => Promise<Duplex>;

async function measure(
  listener: DuplexListener,
  dial: Dial,
  count: number,
): Promise<{ ping: number; bulk: number }> {
  const bulk = bulkBytes[count]!;
  const served = (async () => {
    const all: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      all.push(answer(await listener.accept(), bulk));
    }
    await Promise.all(all);
  })();
  const streams: Duplex[] = [];
  for (let i = 0; i < count; i++) streams.push(await dial());
  const ping = new Uint8Array(pingBytes);
  const begin = performance.now();
  await Promise.all(streams.map(async (stream) => {
    for (let i = 0; i < pings; i++) {
      await stream.write(ping);
      await readBytes(stream, pingBytes);
    }
  }));
  const middle = performance.now();
  const chunk = new Uint8Array(bulkWrite);
  await Promise.all(streams.map(async (stream) => {
    for (let sent = 0; sent < bulk; sent += bulkWrite) {
      await stream.write(chunk);
    }
    await readBytes(stream, 1);
  }));
  const end = performance.now();
  for (const stream of streams) {
    await stream.write(new Uint8Array(1));
    await stream.close();
  }
  await served;
  return {
    // Microseconds for one ping of all streams together.
    ping: (middle - begin) * 1000 / (pings * count),
    // MiB per second of all streams together.
    bulk: bulk * count / 1024 / 1024 / ((end - middle) / 1000),
  };
}

/**
 * Streams at once. On threads, 64 never end: their reads take all of Deno's
 * threads, and the completion port of the other side gets none.
 */
const streamCounts: Readonly<Record<string, readonly number[]>> = {
  port: [1, 2, 64],
  threads: [1, 2],
};

const results: Record<string, number> = {};
for (const [kind, { listen, dial }] of Object.entries(kinds)) {
  const listener = listen();
  for (const [way, dialOne] of Object.entries(dial)) {
    for (const count of streamCounts[way]!) {
      const { ping, bulk } = await measure(listener, dialOne, count);
      results[`${kind} ×${count} 1 KiB ping-pong, µs, ${way}`] = ping;
      results[`${kind} ×${count} 64 KiB writes, MiB/s, ${way}`] = bulk;
    }
  }
  await listener.close();
}

const compute = new VmCompute(systemVmCompute());
const calls = 200;
const begin = performance.now();
for (let i = 0; i < calls; i++) await compute.serviceProperties({});
results["HCS call, µs"] = (performance.now() - begin) * 1000 / calls;
console.log(JSON.stringify(results));
Deno.exit(0);
