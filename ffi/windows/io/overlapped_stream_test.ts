import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import type { FakePeer } from "../../mock/windows/peer.ts";
import { NtStatus } from "../../mock/windows/status.ts";
import { largeBuffer, smallBuffer } from "./buffer_pool.ts";
import { OverlappedStream, type Transport } from "./overlapped_stream.ts";
import { dialPipe } from "./pipe.ts";

const pipe = "\\\\.\\pipe\\stream";

/** A transport whose results a test gives one by one. */
class ScriptedTransport implements Transport {
  readonly name = 'pipe "a"';
  readonly calls: string[] = [];
  readonly asked: PromiseWithResolvers<number>[] = [];
  #ask(call: string): Promise<number> {
    this.calls.push(call);
    const result = Promise.withResolvers<number>();
    this.asked.push(result);
    return result.promise;
  }
  read(_address: bigint, length: number): Promise<number> {
    return this.#ask(`read ${length}`);
  }
  write(_address: bigint, length: number): Promise<number> {
    return this.#ask(`write ${length}`);
  }
  endWrite(): void {
    this.calls.push("endWrite");
  }
  cancel(): void {
    this.calls.push("cancel");
  }
  close(): void {
    this.calls.push("close");
  }
}

function scripted(bench: FakeIo): {
  transport: ScriptedTransport;
  stream: OverlappedStream;
} {
  const transport = new ScriptedTransport();
  return {
    transport,
    stream: new OverlappedStream(transport, bench.io.buffers),
  };
}

async function connected(
  bench: FakeIo,
): Promise<{ stream: OverlappedStream; peer: FakePeer }> {
  const peer = bench.windows.pipes.serve(pipe).add();
  const { io, clock } = bench;
  return { stream: await dialPipe(io, pipe, { clock, busyLimit: 0 }), peer };
}

Deno.test("bytes go both ways, in order", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  const buffer = new Uint8Array(3);
  peer.write("hello");
  assertEquals(await stream.read(buffer), 3);
  assertEquals(buffer, new TextEncoder().encode("hel"));
  assertEquals(await stream.read(buffer), 2);
  await stream.write(new TextEncoder().encode("wor"));
  await stream.write(new TextEncoder().encode("ld"));
  assertEquals(peer.text(), "world");
  await stream.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("read() waits for the first byte", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  const buffer = new Uint8Array(8);
  const reading = stream.read(buffer);
  await bench.idle();
  assert(peer.awaited);
  peer.write("x");
  assertEquals(await reading, 1);
  assertEquals(buffer[0], "x".charCodeAt(0));
  await stream.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("read() into an empty buffer is no end of the stream", async () => {
  const bench = new FakeIo();
  const { stream, transport } = scripted(bench);
  assertEquals(await stream.read(new Uint8Array()), 0);
  assertEquals(transport.calls, []);
  await stream.close();
  assertEquals(await stream.read(new Uint8Array()), null);
  assertEquals(await bench.end(), []);
});

Deno.test("write() goes on until all bytes are taken", async () => {
  const bench = new FakeIo();
  const { stream, transport } = scripted(bench);
  const writing = stream.write(new Uint8Array(10_000));
  for (const taken of [1, 9_000, 999]) {
    transport.asked.pop()!.resolve(taken);
    await bench.idle();
  }
  await writing;
  assertEquals(transport.calls, ["write 10000", "write 9999", "write 999"]);
  await stream.close();
  assertEquals(await bench.end(), []);
});

Deno.test("write() waits for a reader that is slow, and nothing is lost or mixed up", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const all = new Uint8Array(bytes.length * 5);
  for (let at = 0; at < all.length; at += bytes.length) all.set(bytes, at);
  let done = false;
  const writing = stream.write(all).then(() => done = true);
  const received: Uint8Array[] = [];
  for (let size = 0; size < all.length;) {
    await bench.idle();
    assertEquals(done, all.length - size <= 64 * 1024);
    const part = peer.take(7_777);
    received.push(part);
    size += part.length;
  }
  await writing;
  assertEquals(
    new Uint8Array(await new Blob(received as BlobPart[]).arrayBuffer()),
    all,
  );
  await stream.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("write() of nothing asks nothing of the system", async () => {
  const bench = new FakeIo();
  const { stream, transport } = scripted(bench);
  await stream.write(new Uint8Array());
  await stream.closeWrite();
  await assertRejects(
    () => stream.write(new Uint8Array()),
    ShimError,
    "closed",
  );
  assertEquals(transport.calls, ["endWrite"]);
  await stream.close();
  assertEquals(await bench.end(), []);
});

Deno.test("write() that makes no progress is a failure", async () => {
  const bench = new FakeIo();
  const { stream, transport } = scripted(bench);
  const writing = stream.write(new Uint8Array(1));
  transport.asked[0]!.resolve(0);
  await assertRejects(() => writing, HResultError, 'Cannot write to pipe "a"');
  await stream.close();
  assertEquals(await bench.end(), []);
});

for (
  const [code, name] of [
    [38, "ERROR_HANDLE_EOF"],
    [64, "ERROR_NETNAME_DELETED"],
    [109, "ERROR_BROKEN_PIPE"],
    [232, "ERROR_NO_DATA"],
    [233, "ERROR_PIPE_NOT_CONNECTED"],
    [995, "ERROR_OPERATION_ABORTED"],
    [1236, "ERROR_CONNECTION_ABORTED"],
    [10053, "WSAECONNABORTED"],
    [10054, "WSAECONNRESET"],
    [10057, "WSAENOTCONN"],
    [10058, "WSAESHUTDOWN"],
  ] as const
) {
  Deno.test(`read() that fails with ${name} is the end of the stream`, async () => {
    const bench = new FakeIo();
    const { stream, transport } = scripted(bench);
    const reading = stream.read(new Uint8Array(1));
    transport.asked[0]!.resolve(-code);
    assertEquals(await reading, null);
    await stream.close();
    assertEquals(await bench.end(), []);
  });
}

Deno.test("read() of no bytes is the end of the stream", async () => {
  const bench = new FakeIo();
  const { stream, transport } = scripted(bench);
  const reading = stream.read(new Uint8Array(1));
  transport.asked[0]!.resolve(0);
  assertEquals(await reading, null);
  await stream.close();
  assertEquals(await bench.end(), []);
});

Deno.test("other failures name operation, stream and code", async () => {
  const bench = new FakeIo();
  const { stream, transport } = scripted(bench);
  const reading = stream.read(new Uint8Array(1));
  transport.asked.pop()!.resolve(-5);
  const refused = await assertRejects(
    () => reading,
    HResultError,
    'Cannot read from pipe "a": E_ACCESSDENIED (0x80070005)',
  );
  assertEquals(refused.code, "PermissionDenied");
  const writing = stream.write(new Uint8Array(1));
  transport.asked.pop()!.resolve(-109);
  const broken = await assertRejects(
    () => writing,
    HResultError,
    'Cannot write to pipe "a": ERROR_BROKEN_PIPE (0x8007006D)',
  );
  assertEquals(broken.code, "Unavailable");
  await stream.close();
  assertEquals(await bench.end(), []);
});

Deno.test("what the other side wrote before its close is read, then comes the end", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  peer.write("last words");
  peer.close();
  const buffer = new Uint8Array(64);
  assertEquals(await stream.read(buffer), 10);
  assertEquals(await stream.read(buffer), null);
  await assertRejects(
    () => stream.write(buffer),
    HResultError,
    "ERROR_NO_DATA",
  );
  await stream.close();
  assertEquals(await bench.end(), []);
});

Deno.test("what was written before a close is read by the other side", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  await stream.write(new TextEncoder().encode("last words"));
  await stream.close();
  assert(!peer.ended);
  assertEquals(peer.text(), "last words");
  assert(peer.ended);
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("the end of the other side ends a read and a write that wait", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  const reading = stream.read(new Uint8Array(1));
  const writing = assertRejects(
    () => stream.write(new Uint8Array(100_000)),
    HResultError,
    "ERROR_BROKEN_PIPE",
  );
  await bench.idle();
  peer.close();
  assertEquals(await reading, null);
  await writing;
  await stream.close();
  assertEquals(await bench.end(), []);
});

Deno.test("close() ends a read that waits with null", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  const reading = stream.read(new Uint8Array(1));
  await bench.idle();
  await stream.close();
  assertEquals(await reading, null);
  assertEquals(await stream.read(new Uint8Array(1)), null);
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("close() rejects a write that waits, and later ones", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  const writing = assertRejects(
    () => stream.write(new Uint8Array(200_000)),
    ShimError,
    `Cannot write: the pipe "${pipe}" is closed`,
  );
  await bench.idle();
  await stream.close();
  assertEquals((await writing).code, "Unavailable");
  await assertRejects(() => stream.write(new Uint8Array(1)), ShimError);
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("close() closes the handle only when nothing is under way on it", async () => {
  const bench = new FakeIo();
  const { stream, transport } = scripted(bench);
  const reading = stream.read(new Uint8Array(1));
  const writing = assertRejects(
    () => stream.write(new Uint8Array(1)),
    ShimError,
  );
  const closing = stream.close();
  await bench.idle();
  assertEquals(transport.calls, ["read 1", "write 1", "cancel"]);
  transport.asked[0]!.resolve(-995);
  await bench.idle();
  assertEquals(transport.calls.at(-1), "cancel");
  transport.asked[1]!.resolve(-995);
  await closing;
  assertEquals(transport.calls.at(-1), "close");
  assertEquals(await reading, null);
  await writing;
  assertEquals(await bench.end(), []);
});

Deno.test("a read that completes although it was to be cancelled gives its bytes", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  const buffer = new Uint8Array(4);
  const reading = stream.read(buffer);
  await bench.idle();
  peer.write("abc"); // the completion is queued, and nobody has taken it
  await stream.close();
  assertEquals(await reading, 3);
  assertEquals(buffer, new Uint8Array([97, 98, 99, 0]));
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a write that completes although it was to be cancelled does not begin the next portion", async () => {
  const bench = new FakeIo();
  const { stream, transport } = scripted(bench);
  const writing = stream.write(new Uint8Array(2 * largeBuffer));
  const closing = stream.close();
  transport.asked[0]!.resolve(largeBuffer);
  await assertRejects(() => writing, ShimError, "closed");
  await closing;
  assertEquals(transport.calls, [`write ${largeBuffer}`, "cancel", "close"]);
  assertEquals(await bench.end(), []);
});

Deno.test("close() many times closes once; each waits for the same end", async () => {
  const bench = new FakeIo();
  const { stream, transport } = scripted(bench);
  const reading = stream.read(new Uint8Array(1));
  const closings = [stream.close(), stream.close(), stream.close()];
  let closed = 0;
  for (const closing of closings) closing.then(() => closed++);
  await bench.idle();
  assertEquals(closed, 0);
  transport.asked[0]!.resolve(-995);
  await Promise.all(closings);
  await stream.close();
  assertEquals(await reading, null);
  assertEquals(transport.calls, ["read 1", "cancel", "close"]);
  assertEquals(await bench.end(), []);
});

Deno.test("closeWrite() once; a write afterwards is refused, a read is not", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  await Promise.all([stream.closeWrite(), stream.closeWrite()]);
  const error = await assertRejects(
    () => stream.write(new Uint8Array(1)),
    ShimError,
    "Cannot write",
  );
  assertEquals(error.code, "Unavailable");
  peer.write("x");
  assertEquals(await stream.read(new Uint8Array(1)), 1);
  await stream.close();
  await stream.closeWrite();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("closeWrite() that fails is a rejection, not a throw", async () => {
  const bench = new FakeIo();
  const { stream, transport } = scripted(bench);
  const failure = new Error("no");
  transport.endWrite = () => {
    throw failure;
  };
  const ending = stream.closeWrite();
  assertStrictEquals(await assertRejects(() => ending), failure);
  await stream.close();
  assertEquals(await bench.end(), []);
});

Deno.test("endRead() ends a read that waits; what came before is read first", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  const buffer = new Uint8Array(4);
  const reading = stream.read(buffer);
  await bench.idle();
  stream.endRead();
  assertEquals(await reading, null);
  peer.write("abcdef");
  assertEquals(await stream.read(buffer), 4);
  assertEquals(await stream.read(buffer), 2);
  assertEquals(await stream.read(buffer), null);
  stream.endRead();
  assertEquals(await stream.read(buffer), null);
  await stream.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("endRead() of a closed stream touches no handle: the number may be another's", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  await stream.close();
  stream.endRead();
  assertEquals(await stream.read(new Uint8Array(1)), null);
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a waiting read holds a small buffer; bulk data is read in large ones", async () => {
  const bench = new FakeIo();
  const { stream, transport } = scripted(bench);
  const buffer = new Uint8Array(1024 * 1024);
  const steps: [asked: number, got: number][] = [
    [smallBuffer, 10],
    [smallBuffer, smallBuffer],
    [largeBuffer, largeBuffer],
    [largeBuffer, smallBuffer / 2],
    [largeBuffer, smallBuffer / 2 - 1],
    [smallBuffer, 1],
  ];
  for (const [asked, got] of steps) {
    const reading = stream.read(buffer);
    assertEquals(transport.calls.pop(), `read ${asked}`);
    transport.asked.pop()!.resolve(got);
    assertEquals(await reading, got);
  }
  await stream.close();
  assertEquals(await bench.end(), []);
});

Deno.test("without memory an operation fails and the stream can still be closed", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  for (
    const call of [
      () => stream.read(new Uint8Array(1)),
      () => stream.write(new Uint8Array(1)),
    ]
  ) {
    bench.windows.calls.fail("VirtualAlloc", 8);
    const error = await assertRejects(call, ShimError, "Cannot allocate");
    assertEquals(error.code, "ResourceExhausted");
  }
  await stream.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("an operation that goes on and fails later frees its buffer", async () => {
  const bench = new FakeIo();
  const { stream, peer } = await connected(bench);
  const { promise: when, resolve } = Promise.withResolvers<void>();
  const { InsufficientResources: status } = NtStatus;
  for (const symbol of ["ReadFile", "WriteFile"]) {
    bench.windows.calls.completeLater(symbol, { status, count: 0, when });
  }
  const reading = assertRejects(
    () => stream.read(new Uint8Array(1)),
    HResultError,
    "0x800705AA",
  );
  const writing = assertRejects(
    () => stream.write(new Uint8Array(1)),
    HResultError,
    "0x800705AA",
  );
  await bench.idle();
  assertEquals(bench.io.buffers.lent, 2);
  resolve();
  await Promise.all([reading, writing]);
  assertEquals(bench.io.buffers.lent, 0);
  await stream.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("64 streams with reads that wait hold one thread", async () => {
  const bench = new FakeIo();
  const { io, clock, windows } = bench;
  const served = windows.pipes.serve(pipe);
  const pairs = await Promise.all(
    Array.from({ length: 64 }, async (_, index) => {
      const peer = served.add();
      const stream = await dialPipe(io, pipe, { clock, busyLimit: 0 });
      return { index, peer, stream };
    }),
  );
  const buffers = pairs.map(() => new Uint8Array(1));
  const reads = pairs.map(({ stream, index }) => stream.read(buffers[index]!));
  await bench.idle();
  assertEquals(io.port.pending, 64);
  assertEquals(bench.port.waiting, 1);
  for (const { peer, index } of pairs) peer.write(Uint8Array.of(index));
  assertEquals(await Promise.all(reads), pairs.map(() => 1));
  assertEquals(buffers.map(([byte]) => byte), pairs.map(({ index }) => index));
  await Promise.all(pairs.map(({ stream }) => stream.close()));
  for (const { peer } of pairs) peer.close();
  assertEquals(bench.port.peak, 1);
  assertEquals(await bench.end(), []);
});
