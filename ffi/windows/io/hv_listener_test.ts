import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { Duplex } from "../../../base/duplex.ts";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import { CallFailure } from "../../mock/windows/calls.ts";
import type { FakePeer } from "../../mock/windows/peer.ts";
import { NtStatus } from "../../mock/windows/status.ts";
import { HvListener } from "./hv_listener.ts";

const vm = "11111111-2222-3333-4444-555555555555";
const other = "66666666-7777-8888-9999-aaaaaaaaaaaa";
const port = 0x4000_0000;

async function connected(
  bench: FakeIo,
): Promise<{ listener: HvListener; stream: Duplex; peer: FakePeer }> {
  const listener = HvListener.open(bench.io, vm, port);
  const accepting = listener.accept();
  const peer = bench.windows.dial(vm, port);
  return { listener, stream: await accepting, peer };
}

function refused(call: () => unknown): void {
  const error = assertThrows(call);
  assert(error instanceof CallFailure && error.code === 10061, String(error));
}

Deno.test("a dial is accepted; bytes go both ways", async () => {
  const bench = new FakeIo();
  const { listener, stream, peer } = await connected(bench);
  const buffer = new Uint8Array(8);
  peer.write("hello");
  assertEquals(await stream.read(buffer), 5);
  await stream.write(new TextEncoder().encode("hi"));
  assertEquals(peer.text(), "hi");
  await stream.close();
  assert(peer.ended);
  peer.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("only the virtual machine and the port that are listened for get through", async () => {
  const bench = new FakeIo();
  const listener = HvListener.open(bench.io, vm.toUpperCase(), port);
  refused(() => bench.windows.dial(other, port));
  refused(() => bench.windows.dial(vm, port + 1));
  const peer = bench.windows.dial(vm, port);
  const stream = await listener.accept();
  await stream.close();
  peer.close();
  await listener.close();
  refused(() => bench.windows.dial(vm, port));
  assertEquals(await bench.end(), []);
});

Deno.test("dials before the accept wait, in order; beyond 16 they are refused", async () => {
  const bench = new FakeIo();
  const listener = HvListener.open(bench.io, vm, port);
  const peers = Array.from({ length: 16 }, () => bench.windows.dial(vm, port));
  refused(() => bench.windows.dial(vm, port));
  const streams: Duplex[] = [];
  for (const [index, peer] of peers.entries()) {
    peer.write(Uint8Array.of(index));
    const stream = await listener.accept();
    const buffer = new Uint8Array(1);
    await stream.read(buffer);
    assertEquals(buffer[0], index);
    streams.push(stream);
  }
  for (const stream of streams) await stream.close();
  for (const peer of peers) peer.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("several accepts wait, one after another, with one operation", async () => {
  const bench = new FakeIo();
  const listener = HvListener.open(bench.io, vm, port);
  const accepts = [listener.accept(), listener.accept(), listener.accept()];
  await bench.idle();
  assertEquals(bench.io.port.pending, 1);
  const peers = accepts.map(() => bench.windows.dial(vm, port));
  const streams = await Promise.all(accepts);
  for (const [index, peer] of peers.entries()) {
    peer.write(Uint8Array.of(index));
    const buffer = new Uint8Array(1);
    await streams[index]!.read(buffer);
    assertEquals(buffer[0], index);
  }
  for (const stream of streams) await stream.close();
  for (const peer of peers) peer.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("each side ends its direction without the other one", async () => {
  const bench = new FakeIo();
  const { listener, stream, peer } = await connected(bench);
  const buffer = new Uint8Array(8);
  await stream.write(Uint8Array.of(1));
  await stream.closeWrite();
  assertEquals([...peer.take()], [1]);
  assert(peer.ended);
  peer.write("answer");
  assertEquals(await stream.read(buffer), 6);
  peer.endWrite();
  assertEquals(await stream.read(buffer), null);
  const error = await assertRejects(() => stream.write(buffer), ShimError);
  assertEquals(error.code, "Unavailable");
  await stream.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("closeWrite() after the other side is gone is a success", async () => {
  for (const code of [10057, 10058, 10054]) {
    const bench = new FakeIo();
    const { listener, stream, peer } = await connected(bench);
    bench.windows.calls.fail("shutdown", code);
    await stream.closeWrite();
    await stream.close();
    peer.close();
    await listener.close();
    assertEquals(await bench.end(), []);
  }
});

Deno.test("closeWrite() that is refused says why", async () => {
  const bench = new FakeIo();
  const { listener, stream, peer } = await connected(bench);
  bench.windows.calls.fail("shutdown", 10013);
  await assertRejects(
    () => stream.closeWrite(),
    HResultError,
    `Cannot end the output of port ${port} of virtual machine "${vm}": WSAEACCES`,
  );
  await stream.close();
  peer.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a reset ends reads and fails writes, under way and later", async () => {
  const bench = new FakeIo();
  const { listener, stream, peer } = await connected(bench);
  const reading = stream.read(new Uint8Array(1));
  const writing = assertRejects(
    () => stream.write(new Uint8Array(200_000)),
    HResultError,
    "Cannot write to port",
  );
  await bench.idle();
  peer.reset();
  assertEquals(await reading, null);
  await writing;
  assertEquals(await stream.read(new Uint8Array(1)), null);
  await assertRejects(
    () => stream.write(new Uint8Array(1)),
    HResultError,
    "WSAECONNRESET (0x80072746)",
  );
  await stream.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("close() of a stream ends its read and its write", async () => {
  const bench = new FakeIo();
  const { listener, stream, peer } = await connected(bench);
  const reading = stream.read(new Uint8Array(1));
  const writing = assertRejects(
    () => stream.write(new Uint8Array(200_000)),
    ShimError,
    "is closed",
  );
  await bench.idle();
  await Promise.all([stream.close(), stream.close()]);
  assertEquals(await reading, null);
  await writing;
  peer.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a port that is taken is AlreadyExists until it is let go", async () => {
  const bench = new FakeIo();
  const listener = HvListener.open(bench.io, vm, port);
  const error = assertThrows(
    () => HvListener.open(bench.io, vm, port),
    ShimError,
    `Cannot listen on port ${port} of virtual machine "${vm}": it is taken`,
  );
  assertEquals(error.code, "AlreadyExists");
  const neighbour = HvListener.open(bench.io, other, port);
  await listener.close();
  await HvListener.open(bench.io, vm, port).close();
  await neighbour.close();
  assertEquals(await bench.end(), []);
});

Deno.test("what can be no address is refused before anything is called", async () => {
  const bench = new FakeIo();
  const before = bench.windows.calls.made.length;
  const wrong: [string, number][] = [
    ["no guid", 1],
    ["", 1],
    [vm, 0],
    [vm, -1],
    [vm, 1.5],
    [vm, NaN],
    [vm, 0xffff_ffff],
  ];
  for (const [id, number] of wrong) {
    const error = assertThrows(
      () => HvListener.open(bench.io, id, number),
      ShimError,
    );
    assertEquals(error.code, "InvalidArgument");
  }
  assertEquals(bench.windows.calls.made.length, before);
  assertEquals(await bench.end(), []);
});

Deno.test("a machine without Hyper-V sockets says so", async () => {
  const bench = new FakeIo();
  bench.windows.calls.fail("WSASocketW", 10047);
  const error = assertThrows(
    () => HvListener.open(bench.io, vm, port),
    HResultError,
    `Cannot make a socket for port ${port} of virtual machine "${vm}": WSAEAFNOSUPPORT`,
  );
  assertEquals(error.code, "FailedPrecondition");
  assert(error.message.includes("enable the feature Hyper-V"));
  assertEquals(await bench.end(), []);
});

Deno.test("who may not listen, or listens for no machine, is told so", async () => {
  for (
    const [symbol, code, expected] of [
      ["bind", 10013, "PermissionDenied"],
      ["bind", 10049, "NotFound"],
      ["listen", 10013, "PermissionDenied"],
    ] as const
  ) {
    const bench = new FakeIo();
    bench.windows.calls.fail(symbol, code);
    const error = assertThrows(
      () => HvListener.open(bench.io, vm, port),
      HResultError,
      "Cannot listen on port",
    );
    assertEquals(error.code, expected);
    assertEquals(await bench.end(), []);
  }
});

Deno.test("close() ends waits; a second one does nothing; connections stay", async () => {
  const bench = new FakeIo();
  const { listener, stream, peer } = await connected(bench);
  const waiting = assertRejects(
    () => listener.accept(),
    ShimError,
    "is closed",
  );
  await bench.idle();
  await Promise.all([listener.close(), listener.close()]);
  assertEquals((await waiting).code, "Unavailable");
  await assertRejects(() => listener.accept(), ShimError, "is closed");
  peer.write("x");
  assertEquals(await stream.read(new Uint8Array(1)), 1);
  await stream.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a dial that came while the listener was closed is ended", async () => {
  const bench = new FakeIo();
  const listener = HvListener.open(bench.io, vm, port);
  const accepting = listener.accept();
  await bench.idle();
  const peer = bench.windows.dial(vm, port); // its completion is on its way
  const closing = listener.close();
  const stream = await accepting.catch(() => undefined);
  await closing;
  await stream?.close();
  assert(peer.ended);
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("dials that nobody accepted are reset by a close", async () => {
  const bench = new FakeIo();
  const listener = HvListener.open(bench.io, vm, port);
  const peer = bench.windows.dial(vm, port);
  await listener.close();
  assert(peer.ended);
  assertEquals(await bench.end(), []);
});

Deno.test("an accept whose wait was aborted serves the next one", async () => {
  const bench = new FakeIo();
  const listener = HvListener.open(bench.io, vm, port);
  const controller = new AbortController();
  const reason = new ShimError("Canceled", "enough");
  const aborted = assertRejects(() => listener.accept(controller.signal));
  await bench.idle();
  controller.abort(reason);
  assertStrictEquals(await aborted, reason);
  const peer = bench.windows.dial(vm, port);
  await bench.idle();
  assertEquals(bench.io.port.pending, 0, "one is enough while nobody waits");
  const stream = await listener.accept();
  peer.write("x");
  assertEquals(await stream.read(new Uint8Array(1)), 1);
  await stream.close();
  peer.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a dial that comes in the turn of the abort is not lost", async () => {
  const bench = new FakeIo();
  const listener = HvListener.open(bench.io, vm, port);
  const controller = new AbortController();
  const aborted = listener.accept(controller.signal).catch(() => undefined);
  await bench.idle();
  const peer = bench.windows.dial(vm, port);
  controller.abort();
  const stream = await aborted ?? await listener.accept();
  peer.write("x");
  assertEquals(await stream.read(new Uint8Array(1)), 1);
  await stream.close();
  peer.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

for (
  const [what, spoil] of [
    ["at once", (bench) => bench.windows.calls.fail("AcceptEx", 10054)],
    ["later", (bench) =>
      bench.windows.calls.completeLater("AcceptEx", {
        status: NtStatus.ConnectionReset,
        count: 0,
        when: Promise.resolve(),
      })],
    [
      "when it is taken",
      (bench) => bench.windows.calls.fail("setsockopt", 10057),
    ],
  ] as [string, (bench: FakeIo) => void][]
) {
  Deno.test(`a dial that was reset before its accept, ${what}, does not end the listener`, async () => {
    const bench = new FakeIo();
    const listener = HvListener.open(bench.io, vm, port);
    spoil(bench);
    const peers = [bench.windows.dial(vm, port), bench.windows.dial(vm, port)];
    const stream = await listener.accept();
    await stream.write(Uint8Array.of(7));
    const got = peers.flatMap((peer) => [...peer.take()]);
    assertEquals(got, [7]);
    await stream.close();
    await listener.close();
    for (const peer of peers) peer.close();
    assertEquals(await bench.end(), []);
  });
}

Deno.test("a dial that is reset while the listener is closed begins no further accept", async () => {
  const bench = new FakeIo();
  const listener = HvListener.open(bench.io, vm, port);
  const { promise: when, resolve } = Promise.withResolvers<void>();
  const { ConnectionReset: status } = NtStatus;
  bench.windows.calls.completeLater("AcceptEx", { status, count: 0, when });
  const accepting = assertRejects(() => listener.accept(), ShimError);
  await bench.idle();
  resolve();
  await when.then(() => {}); // the completion is queued, and nobody has taken it
  await listener.close();
  await accepting;
  assertEquals(await bench.end(), []);
});

Deno.test("an accept that fails ends the listener with the reason", async () => {
  const bench = new FakeIo();
  const listener = HvListener.open(bench.io, vm, port);
  bench.windows.calls.fail("AcceptEx", 10055);
  const waits = [listener.accept(), listener.accept()].map((wait) =>
    assertRejects(() => wait, HResultError, "Cannot listen on port")
  );
  await Promise.all(waits);
  await assertRejects(() => listener.accept(), HResultError, "0x80072747");
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a connection can be closed before anything is sent", async () => {
  const bench = new FakeIo();
  const { listener, stream, peer } = await connected(bench);
  await listener.close();
  await stream.close();
  await assertRejects(() => stream.write(new Uint8Array(1)), ShimError);
  assertEquals(await stream.read(new Uint8Array(1)), null);
  await stream.closeWrite();
  assert(peer.ended);
  assertEquals(await bench.end(), []);
});

Deno.test("whichever call fails, nothing is left behind and nothing hangs", async () => {
  let isDone = false;
  for (let skip = 0; !isDone; skip++) {
    const bench = new FakeIo();
    const { calls } = bench.windows;
    calls.failAfter(skip, 10055);
    let peer: FakePeer | undefined;
    try {
      const listener = HvListener.open(bench.io, vm, port);
      try {
        const accepting = listener.accept();
        peer = bench.windows.dial(vm, port);
        const stream = await accepting;
        peer.write("ping");
        const buffer = new Uint8Array(4);
        await stream.read(buffer).catch(() => null);
        await stream.write(buffer).catch(() => null);
        await stream.closeWrite().catch(() => null);
        await stream.close();
      } finally {
        await listener.close();
      }
    } catch (error) {
      assert(error instanceof ShimError, String(error));
    }
    peer?.close();
    isDone = !calls.hasFailed;
    if (isDone) assert(skip >= 12, `only ${skip} calls`);
    assertEquals(await bench.end(), [], `call ${skip} failed`);
  }
});
