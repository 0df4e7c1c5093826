import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { encodeUtf16 } from "../../windows/library/utf16.ts";
import { FakeIo } from "./bench.ts";
import { CallFailure, staleError } from "./calls.ts";
import { FakeWindows } from "./machine.ts";

const name = "\\\\.\\pipe\\a";
const pending = 997;

/** The raw symbols, with a port and a connected pipe. */
function raw(windows: FakeWindows) {
  const { kernel32 } = windows.libraries;
  const port = kernel32.CreateIoCompletionPort(
    0xffff_ffff_ffff_ffffn,
    0n,
    0n,
    0,
  );
  const peer = windows.pipes.serve(name).add();
  const handle = windows.kernel.handles.add(windows.pipes.open(name));
  kernel32.CreateIoCompletionPort(handle, port, 0n, 0);
  const memory = kernel32.VirtualAlloc(0n, 4096n, 0, 0);
  return { kernel32, port, peer, handle, memory };
}

/** What an account of misuse must name. */
function assertNamed(windows: FakeWindows, ...words: string[]): void {
  const left = windows.leftovers().join("; ");
  for (const word of words) assert(left.includes(word), `${word}: ${left}`);
}

Deno.test("the last error is right in the next statement only", async () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  const open = () => kernel32.WaitNamedPipeW(encodeUtf16(name), 1);
  assertEquals([open(), kernel32.GetLastError()], [0, 2]);
  assertEquals(kernel32.GetLastError(), 2);
  open();
  const memory = kernel32.VirtualAlloc(0n, 1n, 0, 0);
  assertEquals(kernel32.GetLastError(), staleError, "a call came between");
  open();
  await undefined;
  assertEquals(kernel32.GetLastError(), staleError, "other work came between");
  kernel32.VirtualFree(memory, 0n, 0);
  assertEquals(windows.leftovers(), []);
});

Deno.test("calls fail by their symbol, once each, or by their number", () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  const create = () => kernel32.CreateEventW(null, 0, 0, encodeUtf16("e"));
  windows.calls.fail("CreateEventW", 5);
  windows.calls.fail("CreateEventW", 6);
  assertEquals([create(), kernel32.GetLastError()], [0n, 5]);
  assertEquals([create(), kernel32.GetLastError()], [0n, 6]);
  const first = create();
  windows.calls.failAfter(1, 8);
  kernel32.SetEvent(first);
  kernel32.CloseHandle(first); // what cannot fail does not count
  assertEquals(windows.calls.hasFailed, false);
  assertEquals([create(), kernel32.GetLastError()], [0n, 8]);
  assertEquals(windows.calls.hasFailed, true);
  assertEquals(windows.leftovers(), []);
});

Deno.test("handles are accounted for: left, closed twice, used afterwards, of a wrong kind", () => {
  using windows = new FakeWindows();
  const { kernel32, ws2_32 } = windows.libraries;
  const event = kernel32.CreateEventW(null, 0, 0, encodeUtf16("e"));
  const socket = ws2_32.WSASocketW(34, 1, 1, null, 0, 0x81);
  assertNamed(windows, "1 handles of a event", "1 handles of a socket");
  assertEquals(kernel32.CloseHandle(socket), 0);
  assertEquals(ws2_32.closesocket(event), -1);
  assertEquals(ws2_32.closesocket(socket), 0);
  kernel32.CloseHandle(event);
  assertEquals([kernel32.CloseHandle(event), kernel32.GetLastError()], [0, 6]);
  assertEquals([kernel32.SetEvent(event), kernel32.GetLastError()], [0, 6]);
  assertNamed(
    windows,
    "CloseHandle of a socket",
    "closesocket of a event",
    "CloseHandle of a handle that is not open",
    "SetEvent with a handle that is not open",
  );
});

Deno.test("memory is accounted for: left, freed twice, written to afterwards", () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  const address = kernel32.VirtualAlloc(0n, 16n, 0, 0);
  const pointer = Deno.UnsafePointer.create(address)!;
  const bytes = new Uint8Array(
    Deno.UnsafePointerView.getArrayBuffer(pointer, 16),
  );
  assertNamed(windows, "1 blocks for VirtualFree");
  assertEquals(kernel32.LocalFree(address), address);
  kernel32.VirtualFree(address, 0n, 0);
  kernel32.VirtualFree(address, 0n, 0);
  bytes[3] = 1;
  assertNamed(
    windows,
    "LocalFree of 0x",
    "VirtualFree of 0x",
    "memory was written to after it was freed",
  );
});

Deno.test("operations are accounted for: buffers and OVERLAPPEDs in use, closed or freed under them", () => {
  using windows = new FakeWindows();
  const { kernel32, handle, memory, peer } = raw(windows);
  const read = (at: bigint, overlapped: bigint) =>
    kernel32.ReadFile(handle, memory + at, 16, 0n, memory + overlapped);
  assertEquals([read(0n, 1024n), kernel32.GetLastError()], [0, pending]);
  read(8n, 2048n);
  read(64n, 1024n);
  assertNamed(
    windows,
    "ReadFile with a buffer that is in use",
    "ReadFile with an OVERLAPPED that is in use",
    "operations under way",
  );
  read(8192n, 3072n);
  kernel32.VirtualFree(memory, 0n, 0);
  kernel32.CloseHandle(handle);
  assertNamed(
    windows,
    "ReadFile with memory that is not allocated",
    "VirtualFree of memory that ReadFile uses",
    "CloseHandle of a pipe while ReadFile is under way",
  );
  peer.close();
});

Deno.test("an operation of a handle without a port would never be heard of", () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  windows.pipes.serve(name).add();
  const handle = windows.kernel.handles.add(windows.pipes.open(name));
  const memory = kernel32.VirtualAlloc(0n, 4096n, 0, 0);
  kernel32.ReadFile(handle, memory, 16, 0n, memory + 1024n);
  assertNamed(windows, "ReadFile of a pipe that has no port");
});

Deno.test("a pipe: absent, taken, busy, and what a wait for a client finds", () => {
  using windows = new FakeWindows();
  const { kernel32, port, memory } = raw(windows);
  const text = encodeUtf16("\\\\.\\pipe\\b");
  const make = (mode: number) =>
    kernel32.CreateNamedPipeW(text, mode, 8, 255, 4, 4, 0, null);
  const ask = () =>
    kernel32.WaitNamedPipeW(text, 1) === 0 ? kernel32.GetLastError() : 0;
  const connect = (handle: bigint) =>
    kernel32.ConnectNamedPipe(handle, memory) === 0
      ? kernel32.GetLastError()
      : 0;
  assertEquals(ask(), 2);
  const handle = make(0x4008_0003);
  kernel32.CreateIoCompletionPort(handle, port, 0n, 0);
  assertEquals(ask(), 0);
  make(0x4008_0003);
  assertEquals(kernel32.GetLastError(), 5);
  const client = windows.pipes.connect("\\\\.\\pipe\\B");
  assertEquals([ask(), connect(handle)], [121, 535]);
  assertThrows(
    () => windows.pipes.connect("\\\\.\\pipe\\b"),
    CallFailure,
    "231",
  );
  client.close();
  assertEquals(connect(handle), 232);
  kernel32.DisconnectNamedPipe(handle);
  assertThrows(
    () => windows.pipes.connect("\\\\.\\pipe\\b"),
    CallFailure,
    "231",
  );
  assertEquals(connect(handle), pending);
  windows.pipes.connect("\\\\.\\pipe\\b");
  assertEquals(connect(handle), 535);
});

Deno.test("a write waits beyond the quota, and is taken over bit by bit", () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  const peer = windows.pipes.serve(name, 10).add();
  const handle = windows.kernel.handles.add(windows.pipes.open(name));
  const port = kernel32.CreateIoCompletionPort(
    0xffff_ffff_ffff_ffffn,
    0n,
    0n,
    0,
  );
  kernel32.CreateIoCompletionPort(handle, port, 0n, 0);
  const memory = kernel32.VirtualAlloc(0n, 4096n, 0, 0);
  const write = (size: number, at: bigint) =>
    kernel32.WriteFile(handle, memory, size, 0n, memory + at) === 0
      ? kernel32.GetLastError()
      : 0;
  assertEquals(write(10, 1024n), 0);
  assertEquals(write(15, 2048n), pending);
  assertEquals(peer.take(4).length, 4);
  assertEquals(windows.kernel.operations.size, 1);
  assertEquals(peer.take(11).length, 11);
  assertEquals(windows.kernel.operations.size, 0);
  assertEquals(peer.take().length, 10);
  peer.close();
  assertEquals(write(1, 1024n), 232);
});

Deno.test("a wait for completions takes its turn, and ends without a port", async () => {
  const bench = new FakeIo();
  const { kernel32 } = bench.windows.libraries;
  const port = kernel32.CreateIoCompletionPort(
    0xffff_ffff_ffff_ffffn,
    0n,
    0n,
    0,
  );
  const memory = kernel32.VirtualAlloc(0n, 4096n, 0, 0);
  const wait = () =>
    kernel32.WaitForCompletions(port, memory, 2, memory + 64n, 0xffff_ffff, 0);
  for (let count = 1n; count <= 3n; count++) {
    const packet = { key: 7n, overlapped: count, count: Number(count) };
    bench.windows.post(port, packet);
  }
  const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(memory)!);
  assertEquals([await wait(), view.getUint32(64)], [1, 2]);
  assertEquals([view.getBigUint64(0), view.getBigUint64(40)], [7n, 2n]);
  assertEquals([await wait(), view.getUint32(64)], [1, 1]);
  const waiting = wait();
  await bench.idle();
  kernel32.CloseHandle(port);
  assertEquals(await waiting, 0);
  kernel32.VirtualFree(memory, 0n, 0);
  assertEquals(await bench.end(), []);
});

Deno.test("a symbol that is not faked says so", () => {
  using windows = new FakeWindows();
  const { advapi32 } = windows.libraries;
  const error = assertThrows(
    () => advapi32.OpenSCManagerW(null, null, 0),
    ShimError,
    "OpenSCManagerW is not faked",
  );
  assertEquals(error.code, "NotImplemented");
});

Deno.test("the end of a bench tells what is left", async () => {
  const bench = new FakeIo();
  const { clock } = bench;
  const stop = new AbortController();
  const sleeping = assertRejects(() => clock.sleep(1000, stop.signal));
  const buffer = bench.io.buffers.take(1);
  const left = await bench.end();
  assertEquals(left.slice(0, 2), ["1 lent buffers", "1 timers"]);
  assertEquals(buffer.bytes.length, 4096);
  stop.abort();
  await sleeping;
});
