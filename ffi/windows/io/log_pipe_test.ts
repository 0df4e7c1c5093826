import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import type { FakePeer } from "../../mock/windows/peer.ts";
import { LogPipe, logPipeName } from "./log_pipe.ts";

const name = logPipeName("k8s.io", "pod1");

async function reader(bench: FakeIo): Promise<FakePeer> {
  const peer = bench.windows.pipes.connect(name);
  await bench.idle();
  return peer;
}

Deno.test("the pipe is named as containerd dials it", () => {
  assertEquals(name, "\\\\.\\pipe\\containerd-shim-k8s.io-pod1-log");
});

Deno.test("host:O10 lines go to the reader, in order", async () => {
  const bench = new FakeIo();
  const log = LogPipe.open(bench.io, name);
  const peer = await reader(bench);
  for (const line of ["one\n", "two\n", "grün\n"]) log.sink(line);
  await bench.idle();
  assertEquals(peer.text(), "one\ntwo\ngrün\n");
  log.sink("three\n");
  await bench.idle();
  assertEquals(peer.text(), "three\n");
  await log.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("host:O10 lines without a reader are dropped", async () => {
  const bench = new FakeIo();
  const log = LogPipe.open(bench.io, name);
  assertEquals(log.sink("nobody reads this\n"), false);
  const peer = await reader(bench);
  assertEquals(log.sink("but this\n"), true);
  await bench.idle();
  assertEquals(peer.text(), "but this\n");
  await log.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("the newest reader replaces the old one, whose connection ends", async () => {
  const bench = new FakeIo();
  const log = LogPipe.open(bench.io, name);
  const old = await reader(bench);
  log.sink("old\n");
  await bench.idle();
  const next = await reader(bench);
  log.sink("new\n");
  await bench.idle();
  assertEquals(old.text(), "old\n");
  assert(old.ended);
  assertEquals(next.text(), "new\n");
  await log.close();
  for (const peer of [old, next]) peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a reader that replaces a stuck one gets lines at once", async () => {
  const bench = new FakeIo();
  const log = LogPipe.open(bench.io, name);
  const stuck = await reader(bench);
  const line = `${"x".repeat(40_000)}\n`;
  for (let count = 0; count < 5; count++) log.sink(line);
  await bench.idle();
  assertEquals(
    bench.io.port.pending,
    1 + 4,
    "a write that waits, and instances",
  );
  const next = await reader(bench);
  log.sink("new\n");
  await bench.idle();
  assertEquals(next.text(), "new\n");
  await log.close();
  for (const peer of [stuck, next]) peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("while a reader does not keep up, lines are dropped whole; later ones arrive", async () => {
  const bench = new FakeIo();
  const log = LogPipe.open(bench.io, name);
  const peer = await reader(bench);
  const lines = Array.from(
    { length: 100 },
    (_, index) => `${index} ${"x".repeat(10_000)}\n`,
  );
  for (const line of lines) log.sink(line);
  await bench.idle();
  let text = "";
  for (let part = peer.text(); part !== "";) {
    text += part;
    await bench.idle();
    part = peer.text();
  }
  const got = text.split("\n").slice(0, -1).map((line) => `${line}\n`);
  assertEquals(got, lines.slice(0, got.length), "a prefix of them, each whole");
  assert(got.length >= 26 && got.length < 40, `${got.length} lines`);
  log.sink("later\n");
  await bench.idle();
  assertEquals(peer.text(), "later\n");
  await log.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("host:O10 a reader that went away is dropped, and the next one gets further lines", async () => {
  const bench = new FakeIo();
  const log = LogPipe.open(bench.io, name);
  const gone = await reader(bench);
  gone.close();
  log.sink("lost\n");
  await bench.idle();
  log.sink("dropped\n");
  const { instances } = bench.windows.pipes;
  assertEquals(instances.call(bench.windows.pipes, name).length, 4);
  const next = await reader(bench);
  log.sink("new\n");
  await bench.idle();
  assertEquals(next.text(), "new\n");
  await log.close();
  next.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a write that fails drops the connection and disturbs nobody", async () => {
  const bench = new FakeIo();
  const log = LogPipe.open(bench.io, name);
  const peer = await reader(bench);
  for (const code of [5, 1450]) bench.windows.calls.fail("WriteFile", code);
  log.sink("fails\n");
  await bench.idle();
  assert(peer.ended);
  const next = await reader(bench);
  bench.windows.calls.fail("VirtualAlloc", 8);
  log.sink("fails, too\n");
  await bench.idle();
  log.sink("dropped\n");
  await log.close();
  for (const end of [peer, next]) end.close();
  assertEquals(await bench.end(), []);
});

Deno.test("the sink never throws, also after the end", async () => {
  const bench = new FakeIo();
  const log = LogPipe.open(bench.io, name);
  log.sink("");
  log.sink("\ud800\n");
  const peer = await reader(bench);
  log.sink("\ud800\n");
  log.sink("x".repeat(1_000_000));
  await log.close();
  log.sink("after\n");
  await log.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("host:O10 close() does not wait for a reader that reads nothing", async () => {
  const bench = new FakeIo();
  const log = LogPipe.open(bench.io, name);
  const stuck = await reader(bench);
  log.sink("x".repeat(100_000));
  log.sink("x".repeat(100_000));
  await bench.idle();
  await log.close();
  stuck.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a pipe that somebody else serves is AlreadyExists", async () => {
  const bench = new FakeIo();
  const log = LogPipe.open(bench.io, name);
  const error = assertThrows(() => LogPipe.open(bench.io, name), ShimError);
  assertEquals(error.code, "AlreadyExists");
  await log.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a pipe that can serve no further reader drops lines", async () => {
  const bench = new FakeIo();
  const log = LogPipe.open(bench.io, name);
  await bench.idle();
  for (let count = 0; count < 8; count++) {
    bench.windows.calls.fail("CreateNamedPipeW", 1450);
  }
  const peers: FakePeer[] = [];
  for (let count = 0; count < 4; count++) peers.push(await reader(bench));
  log.sink("still\n");
  await bench.idle();
  log.sink("and on\n");
  await log.close();
  for (const peer of peers) peer.close();
  assertEquals(await bench.end(), []);
});
