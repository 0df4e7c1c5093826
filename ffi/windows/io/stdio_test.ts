import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import { openStdio, pipeOf, type StdioParts } from "./stdio.ts";

const pipe = "\\\\.\\pipe\\containerd-1-stdout";

function parts({ io, clock, log }: FakeIo): StdioParts {
  return { io, clock, log, timeouts: { pipeBusy: 20 } };
}

Deno.test("a pipe is named as a path or as a URL", () => {
  for (
    const url of [
      "\\\\.\\pipe\\a\\b",
      "//./pipe/a/b",
      "npipe:////./pipe/a/b",
      "npipe://./pipe/a/b",
      "NPIPE:////./pipe/a/b",
      "npipe:\\\\.\\pipe\\a\\b",
    ]
  ) assertEquals(pipeOf(url, "stdin"), "\\\\.\\pipe\\a\\b", url);
  assertEquals(pipeOf("\\\\.\\PIPE\\A", "stdin"), "\\\\.\\PIPE\\A");
});

Deno.test("what is no pipe of this machine is refused, naming the stream", async () => {
  const bench = new FakeIo();
  for (
    const url of [
      "",
      "stdout",
      "binary:///C:/logger.exe?id=1",
      "npipe:///pipe/a",
      "npipe://server/pipe/a",
      "\\\\server\\pipe\\a",
      "C:\\pipe\\a",
      "/run/fifo",
    ]
  ) {
    const error = assertThrows(
      () => pipeOf(url, "stdout"),
      ShimError,
      `Cannot open stdout "${url}": expected a named pipe`,
    );
    assertEquals(error.code, "InvalidArgument");
    await assertRejects(
      () => openStdio(parts(bench), url, "stdout"),
      ShimError,
    );
  }
  const dots = "npipe:////./pipe/../UNC/server/share";
  await assertRejects(
    () => openStdio(parts(bench), dots, "stdout"),
    ShimError,
    "is no named pipe of this machine",
  );
  assertEquals(await bench.end(), []);
});

Deno.test("input is read, and ends with its writer", async () => {
  const bench = new FakeIo();
  const peer = bench.windows.pipes.serve(pipe).add();
  const stdin = await openStdio(parts(bench), pipe, "stdin");
  const buffer = new Uint8Array(8);
  peer.write("input");
  assertEquals(await stdin.read(buffer), 5);
  peer.close();
  assertEquals(await stdin.read(buffer), null);
  await stdin.close();
  assertEquals(await bench.end(), []);
});

Deno.test("input that is closed gives what is there, then its end; it is not written to", async () => {
  const bench = new FakeIo();
  const peer = bench.windows.pipes.serve(pipe).add();
  const stdin = await openStdio(parts(bench), pipe, "stdin");
  const buffer = new Uint8Array(8);
  peer.write("rest");
  await stdin.closeWrite();
  assertEquals(await stdin.read(buffer), 4);
  assertEquals(await stdin.read(buffer), null);
  const error = await assertRejects(() => stdin.write(buffer), ShimError);
  assertEquals(error.code, "Unavailable");
  await stdin.close();
  await stdin.closeWrite();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("input that is closed while it is waited for ends", async () => {
  const bench = new FakeIo();
  const peer = bench.windows.pipes.serve(pipe).add();
  const stdin = await openStdio(parts(bench), pipe, "stdin");
  const reading = stdin.read(new Uint8Array(8));
  await bench.idle();
  await stdin.closeWrite();
  assertEquals(await reading, null);
  await stdin.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

for (const stream of ["stdout", "stderr"] as const) {
  Deno.test(`${stream} survives a restart of its reader`, async () => {
    const bench = new FakeIo();
    const served = bench.windows.pipes.serve(pipe);
    const first = served.add();
    const url = "npipe:////./pipe/containerd-1-stdout";
    const output = await openStdio(parts(bench), url, stream, {
      reconnectLimit: 10_000,
    });
    await output.write(new TextEncoder().encode("one "));
    assertEquals(first.text(), "one ");
    first.close();
    const writing = output.write(new TextEncoder().encode("two"));
    await bench.clock.advance(100);
    const second = served.add();
    await bench.clock.advance(10_000);
    await writing;
    assertEquals(second.text(), "two");
    await output.close();
    second.close();
    assertEquals(await bench.end(), []);
  });
}

Deno.test("a reader that stays away is waited for as long as the caller says", async () => {
  const bench = new FakeIo();
  const peer = bench.windows.pipes.serve(pipe).add();
  const output = await openStdio(parts(bench), pipe, "stdout", {
    reconnectLimit: 300,
  });
  peer.close();
  const writing = assertRejects(
    () => output.write(Uint8Array.of(1)),
    ShimError,
    `reached timeout while retrying dial on ${pipe}`,
  );
  await bench.clock.advance(300);
  await writing;
  await output.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a pipe that is not there is NotFound; input is not dialled again", async () => {
  const bench = new FakeIo();
  for (const stream of ["stdin", "stdout", "stderr"] as const) {
    const error = await assertRejects(
      () => openStdio(parts(bench), pipe, stream),
      HResultError,
    );
    assertEquals(error.code, "NotFound");
  }
  assertEquals(await bench.end(), []);
});

Deno.test("the signal ends the attempt to open a busy pipe", async () => {
  const bench = new FakeIo();
  const { pipes } = bench.windows;
  const ends = [pipes.serve(pipe).add(), pipes.connect(pipe)];
  const controller = new AbortController();
  const { signal } = controller;
  const opening = assertRejects(
    () => openStdio(parts(bench), pipe, "stdout", { signal }),
    ShimError,
    "enough",
  );
  await bench.clock.advance(5);
  controller.abort(new ShimError("Canceled", "enough"));
  await opening;
  for (const end of ends) end.close();
  assertEquals(await bench.end(), []);
});
