/**
 * Runs under Wine: holds many streams and many systems, and prints what it saw as
 * one line of JSON.
 *
 * Usage: `io_script.ts starvation|leaks RUNTIME_ID FOLDER`
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { VmCompute } from "../../ffi/windows/compute/vmcompute.ts";
import { systemVmCompute } from "../../ffi/windows/compute/vmcompute_library.ts";
import { dialHv } from "../../ffi/windows/io/hv_dial.ts";
import { HvListener } from "../../ffi/windows/io/hv_listener.ts";
import { dialPipe } from "../../ffi/windows/io/pipe.ts";
import { PipeListener } from "../../ffi/windows/io/pipe_listener.ts";
import { systemOpener } from "../../ffi/windows/library/dll.ts";
import { windowsParts } from "../../ffi/windows/platform.ts";
import { NamedEvent } from "../../ffi/windows/system/named_event.ts";

const [scenario = "", runtimeId = "", folder = ""] = Deno.args;
const parts = windowsParts();
const { io, slots } = parts;
const { kernel32 } = io.libraries;
const pipeName = "\\\\.\\pipe\\lcow-io-test";
const port = 77;
const options = { clock: systemClock, busyLimit: 30_000 };
const seen: Record<string, unknown> = {};

type Pair = readonly [server: Duplex, client: Duplex];

const pipes = PipeListener.open(io, pipeName);
const sockets = HvListener.open(io, runtimeId, port);

async function pipePair(): Promise<Pair> {
  return await Promise.all([
    pipes.accept(),
    dialPipe(io, pipeName, options),
  ]);
}

async function socketPair(): Promise<Pair> {
  return await Promise.all([sockets.accept(), dialHv(io, runtimeId, port)]);
}

/** Every slot for blocking calls is taken, every stream waits: files must still move. */
async function starvation(): Promise<void> {
  const pairs: Pair[] = [];
  for (let i = 0; i < 32; i++) pairs.push(await pipePair(), await socketPair());
  const waiting = pairs.map(async ([server, client]) => {
    const buffer = new Uint8Array(1024);
    const n = await client.read(buffer);
    await server.close();
    await client.close();
    return n;
  });
  using event = NamedEvent.create(kernel32, "lcow-io-test");
  const handle = kernel32.OpenEventW(
    0x0010_0000, // SYNCHRONIZE
    0,
    new Uint16Array([..."lcow-io-test\0"].map((c) => c.charCodeAt(0))),
  );
  // More calls that block than there are slots.
  const blocked = Array.from(
    { length: 16 },
    () => slots.run(() => kernel32.WaitForObject(handle, 0xffff_ffff)),
  );
  const files = Array.from({ length: 32 }, async (_, index) => {
    const path = `${folder}\\${index}`;
    await Deno.writeTextFile(path, `text ${index}`);
    return await Deno.readTextFile(path);
  });
  seen.files = (await Promise.all(files)).length;
  await Promise.all(pairs.map(([server]) => server.write(new Uint8Array(9))));
  seen.bytes = (await Promise.all(waiting)).reduce<number>(
    (sum, n) => sum + (n ?? 0),
    0,
  );
  // Each wait takes the signal, and lets the next one in.
  for (const call of blocked) {
    event.set();
    await call;
  }
  kernel32.CloseHandle(handle);
  seen.pending = io.port.pending;
}

function handleCount(): number {
  const { symbols } = systemOpener.open("C:\\windows\\System32\\kernel32.dll", {
    GetCurrentProcess: { parameters: [], result: "u64" },
    GetProcessHandleCount: { parameters: ["u64", "buffer"], result: "i32" },
  });
  const count = new Uint32Array(1);
  symbols.GetProcessHandleCount(symbols.GetCurrentProcess(), count);
  return count[0]!;
}

async function useStream(make: () => Promise<Pair>): Promise<void> {
  const [server, client] = await make();
  const buffer = new Uint8Array(64);
  await client.write(new Uint8Array(64));
  await server.read(buffer);
  await client.close();
  await server.read(buffer);
  await server.close();
}

async function useSystem(compute: VmCompute, id: string): Promise<void> {
  const system = await compute.create(id, {});
  await system.start();
  await system.properties({});
  await system.terminate();
  await system.exited;
  await system.close();
}

async function leaks(): Promise<void> {
  const compute = new VmCompute(systemVmCompute(), parts);
  const round = async (streams: number, systems: number): Promise<void> => {
    for (let i = 0; i < streams; i++) {
      await useStream(i % 2 === 0 ? pipePair : socketPair);
    }
    for (let i = 0; i < systems; i++) await useSystem(compute, `${i}@vm`);
  };
  await round(50, 20); // Threads and caches are made once.
  const before = handleCount();
  await round(1000, 200);
  seen.grown = handleCount() - before;
  seen.lent = io.buffers.lent;
}

if (scenario === "starvation") await starvation();
else await leaks();
await pipes.close();
await sockets.close();
seen.left = io.port.pending;
console.log(JSON.stringify(seen));
Deno.exit(0);
