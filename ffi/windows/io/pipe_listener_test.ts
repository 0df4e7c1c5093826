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
import { dialPipe } from "./pipe.ts";
import { PipeListener } from "./pipe_listener.ts";

const pipe = "\\\\.\\pipe\\ProtectedPrefix\\Administrators\\server";

function open(bench: FakeIo): PipeListener {
  return PipeListener.open(bench.io, pipe, { log: bench.log });
}

/** Clients that connect as fast as they can; those that find it busy are missing. */
function clients(bench: FakeIo, count: number): FakePeer[] {
  const peers: FakePeer[] = [];
  try {
    while (peers.length < count) peers.push(bench.windows.pipes.connect(pipe));
  } catch (error) {
    assert(error instanceof CallFailure && error.code === 231, String(error));
  }
  return peers;
}

Deno.test("host:O9 a client and the server talk, and end", async () => {
  const bench = new FakeIo();
  const listener = open(bench);
  const client = await dialPipe(bench.io, pipe, {
    clock: bench.clock,
    busyLimit: 0,
  });
  const server = await listener.accept();
  const buffer = new Uint8Array(8);
  await client.write(new TextEncoder().encode("ping"));
  assertEquals(await server.read(buffer), 4);
  await server.write(new TextEncoder().encode("pong!"));
  assertEquals(await client.read(buffer), 5);
  await server.close();
  assertEquals(await client.read(buffer), null);
  await client.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("4 instances wait for clients, all with the descriptor, and only the first one claims the name", async () => {
  const bench = new FakeIo();
  const { pipes, calls } = bench.windows;
  const listener = open(bench);
  await bench.idle();
  assertEquals(pipes.instances(pipe).length, 4);
  assertEquals(bench.io.port.pending, 4);
  assertEquals(
    pipes.descriptors,
    Array(4).fill("D:P(A;;GA;;;BA)(A;;GA;;;SY)"),
  );
  assert(!calls.made.includes("DisconnectNamedPipe"));
  await listener.close();
  assertEquals(pipes.names, []);
  assertEquals(await bench.end(), []);
});

Deno.test("another descriptor is used when it is asked for", async () => {
  const bench = new FakeIo();
  const sddl = "D:(A;;GRGW;;;WD)";
  const listener = PipeListener.open(bench.io, pipe, { sddl });
  assertEquals(new Set(bench.windows.pipes.descriptors), new Set([sddl]));
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a descriptor that is none is refused, and nothing is left", async () => {
  const bench = new FakeIo();
  assertThrows(
    () => PipeListener.open(bench.io, pipe, { sddl: "everybody" }),
    HResultError,
    'Cannot read the security descriptor "everybody"',
  );
  assertEquals(await bench.end(), []);
});

Deno.test("clients are accepted in order, and the waiting instances are replaced", async () => {
  const bench = new FakeIo();
  const listener = open(bench);
  const peers = clients(bench, 4);
  assertEquals(clients(bench, 1).length, 0, "all instances are taken");
  await bench.idle();
  assertEquals(bench.windows.pipes.instances(pipe).length, 8);
  const streams: Duplex[] = [];
  for (const [index, peer] of peers.entries()) {
    peer.write(Uint8Array.of(index));
    const stream = await listener.accept();
    const buffer = new Uint8Array(1);
    await stream.read(buffer);
    assertEquals(buffer[0], index);
    streams.push(stream);
  }
  await listener.close();
  for (const peer of peers) peer.close();
  for (const stream of streams) await stream.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a second listener of one name is AlreadyExists", async () => {
  const bench = new FakeIo();
  const listener = open(bench);
  const error = assertThrows(
    () => open(bench),
    ShimError,
    `Cannot listen on pipe "${pipe}": somebody else does`,
  );
  assertEquals(error.code, "AlreadyExists");
  await listener.close();
  const next = open(bench); // the name is free again
  await next.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a listener is AlreadyExists even when all instances of the other one are taken", async () => {
  const bench = new FakeIo();
  const server = bench.windows.pipes.serve(pipe).add();
  const client = bench.windows.pipes.connect(pipe);
  const error = assertThrows(
    () => open(bench),
    ShimError,
    "somebody else does",
  );
  assertEquals(error.code, "AlreadyExists");
  for (const peer of [server, client]) peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a name that somebody takes between the question and the claim is AlreadyExists", async () => {
  const bench = new FakeIo();
  const { windows } = bench;
  const { kernel32 } = windows.libraries;
  const { WaitNamedPipeW } = kernel32;
  let server: FakePeer | undefined;
  Object.assign(kernel32, {
    WaitNamedPipeW: (...parameters: Parameters<typeof WaitNamedPipeW>) => {
      const answer = WaitNamedPipeW(...parameters);
      server ??= windows.pipes.serve(pipe).add();
      return answer;
    },
  });
  // The first question is answered with "there is none".
  windows.calls.fail("WaitNamedPipeW", 2);
  const error = assertThrows(
    () => open(bench),
    ShimError,
    "somebody else does",
  );
  assertEquals(error.code, "AlreadyExists");
  server?.close();
  assertEquals(await bench.end(), []);
});

Deno.test("who may not listen is told so, with a hint", async () => {
  const bench = new FakeIo();
  bench.windows.calls.fail("CreateNamedPipeW", 5);
  const error = assertThrows(
    () => open(bench),
    HResultError,
    `Cannot listen on pipe "${pipe}": E_ACCESSDENIED (0x80070005); run as an administrator`,
  );
  assertEquals(error.code, "PermissionDenied");
  assertEquals(await bench.end(), []);
});

Deno.test("a question about the name that is not answered does not mean that somebody has it", async () => {
  const bench = new FakeIo();
  bench.windows.calls.fail("WaitNamedPipeW", 5);
  const listener = open(bench);
  await listener.close();
  bench.windows.calls.fail("WaitNamedPipeW", 5);
  bench.windows.calls.fail("CreateNamedPipeW", 5);
  bench.windows.calls.fail("WaitNamedPipeW", 161);
  const error = assertThrows(() => open(bench), ShimError);
  assertEquals(error.code, "PermissionDenied");
  assertEquals(await bench.end(), []);
});

Deno.test("host:O9 a name that is empty or no pipe of this machine is refused", async () => {
  const bench = new FakeIo();
  for (const name of ["", "\\\\server\\pipe\\a", "\\\\.\\pipe\\..\\C:\\a"]) {
    const error = assertThrows(
      () => PipeListener.open(bench.io, name),
      ShimError,
      "no named pipe of this machine",
    );
    assertEquals(error.code, "InvalidArgument");
  }
  assertEquals(await bench.end(), []);
});

Deno.test("a client that came before the wait for it is accepted", async () => {
  const bench = new FakeIo();
  const { kernel32 } = bench.windows.libraries;
  const { ConnectNamedPipe } = kernel32;
  let early: FakePeer | undefined;
  Object.assign(kernel32, {
    ConnectNamedPipe: (...parameters: Parameters<typeof ConnectNamedPipe>) => {
      early ??= bench.windows.pipes.connect(pipe);
      return ConnectNamedPipe(...parameters);
    },
  });
  const listener = open(bench);
  const stream = await listener.accept();
  early!.write("x");
  assertEquals(await stream.read(new Uint8Array(1)), 1);
  await stream.close();
  early!.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a client that came and left before the wait for it makes room for the next one", async () => {
  const bench = new FakeIo();
  const { windows } = bench;
  const { kernel32 } = windows.libraries;
  const { ConnectNamedPipe } = kernel32;
  let left = 3;
  Object.assign(kernel32, {
    ConnectNamedPipe: (...parameters: Parameters<typeof ConnectNamedPipe>) => {
      if (left-- > 0) {
        const hasty = windows.pipes.connect(pipe);
        hasty.write("gone");
        hasty.close();
      }
      return ConnectNamedPipe(...parameters);
    },
  });
  const listener = open(bench);
  await bench.idle();
  assertEquals(windows.pipes.instances(pipe).length, 4);
  const peer = windows.pipes.connect(pipe);
  const stream = await listener.accept();
  peer.write("x");
  const buffer = new Uint8Array(8);
  assertEquals(await stream.read(buffer), 1, "nothing of those who left");
  assert(windows.calls.made.includes("DisconnectNamedPipe"));
  peer.close();
  await stream.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a client that came and left after the wait is accepted, and its stream ends", async () => {
  const bench = new FakeIo();
  const listener = open(bench);
  const hasty = bench.windows.pipes.connect(pipe);
  hasty.write("hi");
  hasty.close();
  const stream = await listener.accept();
  const buffer = new Uint8Array(8);
  assertEquals(await stream.read(buffer), 2);
  assertEquals(await stream.read(buffer), null);
  await stream.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("clients beyond the bound find the pipe busy until somebody is accepted", async () => {
  const bench = new FakeIo();
  const listener = open(bench);
  const peers: FakePeer[] = [];
  for (let more = 1; more > 0;) {
    const come = clients(bench, 4);
    peers.push(...come);
    more = come.length;
    await bench.idle();
  }
  // 64 in the queue, and those whose instances waited when it became full.
  assertEquals(peers.length, 64 + 3);
  const streams: Duplex[] = [];
  for (let count = 0; count < 4; count++) {
    assertEquals(clients(bench, 1).length, 0);
    streams.push(await listener.accept());
  }
  peers.push(...clients(bench, 10));
  assertEquals(peers.length, 64 + 3 + 4);
  await bench.idle();
  await listener.close();
  for (const stream of streams) await stream.close();
  for (const peer of peers) peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("close() rejects those who accept and closes queued clients; those accepted stay", async () => {
  const bench = new FakeIo();
  const listener = open(bench);
  const [accepted, queued] = clients(bench, 2);
  const stream = await listener.accept();
  await bench.idle();
  const waiting = [
    listener.accept().then((queuedStream) => queuedStream.close()),
    assertRejects(() => listener.accept(), ShimError, "is closed"),
  ];
  await waiting[0];
  const [late] = clients(bench, 1);
  await Promise.all([listener.close(), listener.close()]);
  await waiting[1];
  await assertRejects(() => listener.accept(), ShimError, "is closed");
  assert(queued!.ended);
  assert(late!.ended);
  accepted!.write("still here");
  assertEquals(await stream.read(new Uint8Array(64)), 10);
  await stream.close();
  for (const peer of [accepted, queued, late]) peer!.close();
  assertEquals(await bench.end(), []);
});

Deno.test("close() while clients are queued and others come lets nobody wait", async () => {
  const bench = new FakeIo();
  const listener = open(bench);
  const peers = clients(bench, 3);
  await bench.idle();
  peers.push(...clients(bench, 2)); // their completions are on their way
  await listener.close();
  assertEquals(peers.length, 5);
  assert(peers.every((peer) => peer.ended));
  for (const peer of peers) peer.close();
  assertEquals(bench.windows.pipes.names, []);
  assertEquals(await bench.end(), []);
});

Deno.test("an aborted accept loses no client", async () => {
  const bench = new FakeIo();
  const listener = open(bench);
  const controller = new AbortController();
  const reason = new ShimError("Canceled", "enough");
  const aborted = assertRejects(() => listener.accept(controller.signal));
  const [peer] = clients(bench, 1);
  controller.abort(reason);
  assertStrictEquals(await aborted, reason);
  const stream = await listener.accept();
  peer!.write("x");
  assertEquals(await stream.read(new Uint8Array(1)), 1);
  await stream.close();
  peer!.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("an instance that cannot be made is made up for with the next client", async () => {
  const bench = new FakeIo();
  const listener = open(bench);
  bench.windows.calls.fail("CreateNamedPipeW", 1450);
  const peers = clients(bench, 1);
  await bench.idle();
  assertEquals(bench.windows.pipes.instances(pipe).length, 4);
  assert(bench.lines.join().includes("A pipe gets no further instance"));
  assert(bench.lines.join().includes("0x800705AA"));
  peers.push(...clients(bench, 1));
  await bench.idle();
  assertEquals(bench.windows.pipes.instances(pipe).length, 6);
  await listener.close();
  for (const peer of peers) peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("with the first instance alone it listens, too", async () => {
  const bench = new FakeIo();
  const { calls, pipes } = bench.windows;
  const { CreateNamedPipeW } = bench.windows.libraries.kernel32;
  let made = 0;
  Object.assign(bench.windows.libraries.kernel32, {
    CreateNamedPipeW: (...parameters: Parameters<typeof CreateNamedPipeW>) => {
      if (++made === 2) calls.fail("CreateNamedPipeW", 1450);
      return CreateNamedPipeW(...parameters);
    },
  });
  const listener = open(bench);
  assertEquals(pipes.instances(pipe).length, 1);
  const [peer] = clients(bench, 1);
  const stream = await listener.accept();
  await bench.idle();
  assertEquals(pipes.instances(pipe).length, 5);
  await stream.close();
  peer!.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("when no instance is left to wait, accept() fails with the reason", async () => {
  const bench = new FakeIo();
  const listener = open(bench);
  const { calls } = bench.windows;
  for (let count = 0; count < 8; count++) calls.fail("CreateNamedPipeW", 1450);
  const peers = clients(bench, 4);
  await bench.idle();
  assert(peers.every((peer) => peer.ended), "nobody is left waiting");
  await assertRejects(() => listener.accept(), HResultError, "0x800705AA");
  await listener.close();
  for (const peer of peers) peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("waits for clients that fail again and again end the listener, and stop nothing else", async () => {
  const bench = new FakeIo();
  const { calls } = bench.windows;
  for (let count = 0; count < 200; count++) {
    calls.fail("ConnectNamedPipe", 1450);
  }
  const listener = open(bench);
  const failed = assertRejects(
    () => listener.accept(),
    HResultError,
    `Cannot listen on pipe "${pipe}": `,
  );
  await bench.idle();
  await failed;
  const tries = calls.made.filter((name) => name === "ConnectNamedPipe");
  assertEquals(tries.length, 4);
  assert(bench.lines.join().includes("A pipe cannot wait for a client"));
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("an instance that cannot be used again is given up", async () => {
  const bench = new FakeIo();
  const { windows } = bench;
  const listener = open(bench);
  await bench.idle();
  windows.calls.fail("ConnectNamedPipe", 232);
  windows.calls.fail("DisconnectNamedPipe", 6);
  const peers = clients(bench, 1);
  await bench.idle();
  assertEquals(windows.pipes.instances(pipe).length, 4);
  peers.push(...clients(bench, 1));
  await bench.idle();
  assertEquals(windows.pipes.instances(pipe).length, 6);
  for (const peer of peers) peer.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a wait for a client that fails later is made up for", async () => {
  const bench = new FakeIo();
  const { windows } = bench;
  windows.calls.completeLater("ConnectNamedPipe", {
    status: 0xc000_009a,
    count: 0,
    when: Promise.resolve(),
  });
  const listener = open(bench);
  await bench.idle();
  assertEquals(windows.pipes.instances(pipe).length, 3);
  const [peer] = clients(bench, 1);
  const stream = await listener.accept();
  await bench.idle();
  assertEquals(windows.pipes.instances(pipe).length, 5);
  await stream.close();
  peer!.close();
  await listener.close();
  assertEquals(await bench.end(), []);
});

Deno.test("whichever call fails, nothing is left behind and nothing hangs", async () => {
  let isDone = false;
  for (let skip = 0; !isDone; skip++) {
    const bench = new FakeIo();
    const { calls } = bench.windows;
    calls.failAfter(skip, 1450);
    const peers: FakePeer[] = [];
    try {
      const listener = open(bench);
      try {
        await bench.idle(); // an instance that failed does not get the client
        peers.push(...clients(bench, 1));
        const stream = await listener.accept();
        const buffer = new Uint8Array(4);
        peers[0]?.write("ping");
        await stream.read(buffer).catch(() => null);
        await stream.write(buffer).catch(() => null);
        await stream.close();
      } finally {
        await listener.close();
      }
    } catch (error) {
      assert(error instanceof ShimError, String(error));
      assert(error.code !== "AlreadyExists", error.message);
    }
    for (const peer of peers) peer.close();
    isDone = !calls.hasFailed;
    assertEquals(await bench.end(), [], `call ${skip} failed`);
  }
});
