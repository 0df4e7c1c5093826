import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import { dialPipe, type PipeDialOptions, requirePipeName } from "./pipe.ts";
import type { OverlappedStream } from "./overlapped_stream.ts";

const pipe = "\\\\.\\pipe\\Server";

function dial(
  bench: FakeIo,
  options: Partial<PipeDialOptions> = {},
): Promise<OverlappedStream> {
  const { io, clock } = bench;
  return dialPipe(io, pipe, { clock, busyLimit: 2_000, ...options });
}

Deno.test("a client connects, whatever the case of the name", async () => {
  const bench = new FakeIo();
  const peer = bench.windows.pipes.serve(pipe.toUpperCase()).add();
  const stream = await dial(bench);
  await stream.write(Uint8Array.of(1));
  assertEquals([...peer.take()], [1]);
  await stream.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a pipe that nobody serves is NotFound, at once", async () => {
  const bench = new FakeIo();
  const error = await assertRejects(
    () => dial(bench),
    HResultError,
    `Cannot connect to pipe "${pipe}": ERROR_FILE_NOT_FOUND (0x80070002)`,
  );
  assertEquals(error.code, "NotFound");
  assertEquals(await bench.end(), []);
});

Deno.test("a refusal is final", async () => {
  const bench = new FakeIo();
  const peer = bench.windows.pipes.serve(pipe).add();
  bench.windows.calls.fail("CreateFileW", 5);
  const error = await assertRejects(() => dial(bench), HResultError, pipe);
  assertEquals(error.code, "PermissionDenied");
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a busy pipe is tried again every 10 ms until an instance is free", async () => {
  const bench = new FakeIo();
  const { windows, clock } = bench;
  const served = windows.pipes.serve(pipe);
  const first = served.add();
  const occupant = windows.pipes.connect(pipe);
  const dialling = dial(bench);
  await clock.advance(25);
  const tries = windows.calls.made.filter((name) => name === "CreateFileW");
  assertEquals(tries.length, 3); // at 0, 10 and 20 ms
  const second = served.add();
  await clock.advance(5);
  const stream = await dialling;
  await stream.close();
  for (const peer of [occupant, first, second]) peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a pipe that stays busy fails at the limit with its code", async () => {
  const bench = new FakeIo();
  const { windows, clock } = bench;
  const first = windows.pipes.serve(pipe).add();
  const occupant = windows.pipes.connect(pipe);
  let ended = false;
  const dialling = assertRejects(
    () => dial(bench, { busyLimit: 20 }),
    HResultError,
    `Cannot connect to pipe "${pipe}": ERROR_PIPE_BUSY (0x800700E7)`,
  ).finally(() => ended = true);
  await clock.advance(19);
  assertEquals(ended, false);
  await clock.advance(1);
  assertEquals((await dialling).code, "Unavailable");
  for (const peer of [occupant, first]) peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a limit of 0 tries once", async () => {
  const bench = new FakeIo();
  const { windows } = bench;
  const first = windows.pipes.serve(pipe).add();
  const occupant = windows.pipes.connect(pipe);
  await assertRejects(
    () => dial(bench, { busyLimit: 0 }),
    HResultError,
    "BUSY",
  );
  for (const peer of [occupant, first]) peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a busy pipe that vanishes is NotFound", async () => {
  const bench = new FakeIo();
  const { windows, clock } = bench;
  const first = windows.pipes.serve(pipe).add();
  const occupant = windows.pipes.connect(pipe);
  const dialling = assertRejects(() => dial(bench), HResultError, "NOT_FOUND");
  await clock.advance(5);
  for (const peer of [occupant, first]) peer.close();
  await clock.advance(10);
  await dialling;
  assertEquals(await bench.end(), []);
});

Deno.test("the signal ends the attempts with its reason", async () => {
  const bench = new FakeIo();
  const { windows, clock } = bench;
  const first = windows.pipes.serve(pipe).add();
  const occupant = windows.pipes.connect(pipe);
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new ShimError("Canceled", "enough");
  const dialling = assertRejects(() => dial(bench, { signal }));
  await clock.advance(5);
  controller.abort(reason);
  assertStrictEquals(await dialling, reason);
  const before = windows.calls.made.length;
  assertStrictEquals(
    await assertRejects(() => dial(bench, { signal })),
    reason,
  );
  assertEquals(windows.calls.made.length, before, "nothing was called");
  for (const peer of [occupant, first]) peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("a connection that cannot be waited for is closed", async () => {
  const bench = new FakeIo();
  const peer = bench.windows.pipes.serve(pipe).add();
  bench.windows.calls.fail("CreateIoCompletionPort", 8);
  await assertRejects(
    () => dial(bench),
    HResultError,
    `Cannot wait for pipe "${pipe}"`,
  );
  assert(peer.ended);
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("the server is not to act in the client's name", async () => {
  const bench = new FakeIo();
  const { kernel32 } = bench.windows.libraries;
  const peer = bench.windows.pipes.serve(pipe).add();
  const asked: number[][] = [];
  const { CreateFileW } = kernel32;
  Object.assign(kernel32, {
    CreateFileW: (...parameters: Parameters<typeof CreateFileW>) => {
      const [, access, share, , disposition, flags] = parameters;
      asked.push([access, share, disposition, flags]);
      return CreateFileW(...parameters);
    },
  });
  const stream = await dial(bench);
  assertEquals(asked, [[0xc000_0000, 0, 3, 0x4010_0000]]);
  await stream.close();
  peer.close();
  assertEquals(await bench.end(), []);
});

Deno.test("names of pipes of this machine are taken", () => {
  for (
    const name of [
      "\\\\.\\pipe\\a",
      "\\\\.\\PIPE\\a",
      "\\\\.\\pipe\\ProtectedPrefix\\Administrators\\a-b.c",
      "\\\\.\\pipe\\...",
      "\\\\.\\pipe\\a..b",
    ]
  ) requirePipeName(name);
});

Deno.test("names that lead elsewhere are refused before anything is called", async () => {
  const bench = new FakeIo();
  const { io, clock } = bench;
  const before = bench.windows.calls.made.length;
  for (
    const name of [
      "",
      "a",
      "\\\\.\\pipe",
      "\\\\.\\pipe\\",
      "\\\\server\\pipe\\a",
      "\\\\?\\pipe\\a",
      "//./pipe/a",
      "C:\\pipe\\a",
      // Windows resolves dots in \\.\ paths: these would be files and shares.
      "\\\\.\\pipe\\..\\PhysicalDrive0",
      "\\\\.\\pipe\\..\\UNC\\server\\share\\a",
      "\\\\.\\pipe\\../C:/secret",
      "\\\\.\\pipe\\a\\..\\..\\C:\\secret",
      "\\\\.\\pipe\\.",
      "\\\\.\\pipe\\a/..",
    ]
  ) {
    const error = await assertRejects(
      () => dialPipe(io, name, { clock, busyLimit: 0 }),
      ShimError,
      `"${name}" is no named pipe of this machine`,
    );
    assertEquals(error.code, "InvalidArgument");
    assertThrows(() => requirePipeName(name), ShimError);
  }
  assertEquals(bench.windows.calls.made.length, before);
  assertEquals(await bench.end(), []);
});
