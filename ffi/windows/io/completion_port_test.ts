import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import { FakeWindows } from "../../mock/windows/machine.ts";
import { NtStatus } from "../../mock/windows/status.ts";
import { CompletionPort, type Slot } from "./completion_port.ts";

/** Operations that complete when the test posts them. */
function manual(bench: FakeIo): {
  /** Begins one. @returns Its result. */
  begin(): Promise<number>;
  slots: Slot[];
  /** Queues the completion of one. */
  post(index: number, count?: number, status?: number): void;
} {
  const slots: Slot[] = [];
  // The handle of the port: the first one that the machine has handed out.
  const handle = 0x8000_0000_0004n;
  return {
    slots,
    begin: () =>
      bench.io.port.submit((slot) => {
        slots.push(slot);
        return 0;
      }),
    post: (index, count = 0, status = 0) => {
      const { overlapped, view, at } = slots[index]!;
      view.setBigUint64(at - 32, BigInt(status), true);
      bench.windows.post(handle, { key: 0n, overlapped, count });
    },
  };
}

Deno.test("an operation resolves with its bytes, or with its negated Win32 code", async () => {
  const bench = new FakeIo();
  const { begin, post } = manual(bench);
  const results = [begin(), begin(), begin()];
  post(0, 0xffff_ffff);
  post(1, 7, NtStatus.PipeBroken);
  post(2, 0, NtStatus.Cancelled);
  assertEquals(await Promise.all(results), [0xffff_ffff, -109, -995]);
  assertEquals(await bench.end(), []);
});

Deno.test("operations settle in the order of their completions", async () => {
  const bench = new FakeIo();
  const { begin, post } = manual(bench);
  const order: number[] = [];
  const results = [0, 1, 2, 3].map((index) =>
    begin().then(() => order.push(index))
  );
  for (const index of [2, 0, 3, 1]) post(index);
  await Promise.all(results);
  assertEquals(order, [2, 0, 3, 1]);
  assertEquals(await bench.end(), []);
});

Deno.test("64 completions are taken at once", async () => {
  const bench = new FakeIo();
  const { begin, post } = manual(bench);
  const results = Array.from({ length: 200 }, () => begin());
  for (let index = 0; index < 200; index++) post(index, index);
  assertEquals(await Promise.all(results), [...Array(200).keys()]);
  assertEquals(bench.port.batches, [64, 64, 64, 8]);
  assertEquals(await bench.end(), []);
});

Deno.test("more operations than slots of a slab: another slab, and all slots are used again", async () => {
  const bench = new FakeIo();
  const { begin, post, slots } = manual(bench);
  const count = 2500;
  const results = Array.from({ length: count }, () => begin());
  assertEquals(new Set(slots.map((slot) => slot.overlapped)).size, count);
  assertEquals(bench.io.port.pending, count);
  for (let index = count; index-- > 0;) post(index, index);
  assertEquals(await Promise.all(results), [...Array(count).keys()]);
  const again = Array.from({ length: count }, () => begin());
  const known = new Set(slots.slice(0, count).map((slot) => slot.overlapped));
  assert(slots.slice(count).every((slot) => known.has(slot.overlapped)));
  for (let index = 0; index < count; index++) post(count + index);
  await Promise.all(again);
  assertEquals(bench.io.port.pending, 0);
  assertEquals(await bench.end(), []);
});

Deno.test("a slot is zero before it is used, and has room for parameters", async () => {
  const bench = new FakeIo();
  const { begin, post, slots } = manual(bench);
  const first = begin();
  post(0, 3, NtStatus.PipeBroken);
  assertEquals(await first, -109);
  const second = bench.io.port.submit(
    ({ overlapped, parameters, view, at }) => {
      assertEquals(overlapped, slots[0]!.overlapped);
      assertEquals(parameters, overlapped + 32n);
      const header = new Uint8Array(view.buffer, at - 32, 32);
      assertEquals(header, new Uint8Array(32));
      return 5;
    },
  );
  assertEquals(await second, -5);
  assertEquals(await bench.end(), []);
});

Deno.test("an operation that fails at once waits for nothing", async () => {
  const bench = new FakeIo();
  assertEquals(await bench.io.port.submit(() => 6), -6);
  await assertRejects(
    () =>
      bench.io.port.submit(() => {
        throw new Error("no argument");
      }),
    Error,
    "no argument",
  );
  assertEquals(bench.io.port.pending, 0);
  assertEquals(bench.port.peak, 0);
  assertEquals(await bench.end(), []);
});

Deno.test("without memory for a slot an operation is refused, not begun", async () => {
  const bench = new FakeIo();
  bench.windows.calls.fail("VirtualAlloc", 8);
  const refused = bench.io.port.submit(() => 0);
  const error = await assertRejects(
    () => refused,
    ShimError,
    "Cannot allocate",
  );
  assertEquals(error.code, "ResourceExhausted");
  assertEquals(bench.io.port.pending, 0);
  assertEquals(await bench.end(), []);
});

Deno.test("completions of somebody else are ignored", async () => {
  const bench = new FakeIo();
  const { begin, post, slots } = manual(bench);
  const mine = begin();
  const [slot] = slots;
  const foreign = [
    0n, // none
    slot!.overlapped + 1n, // inside of a slot
    slot!.overlapped + 64n, // a slot that is free
    slot!.overlapped + 64n * 1024n, // behind the slab
    0x7fff_ffff_fff0n,
  ];
  for (const overlapped of foreign) {
    bench.windows.post(0x8000_0000_0004n, { key: 9n, overlapped, count: 1 });
  }
  await bench.idle();
  assertEquals(bench.io.port.pending, 1);
  post(0, 4);
  assertEquals(await mine, 4);
  post(0, 5); // a second completion of one operation
  assertEquals(await bench.end(), []);
});

Deno.test("a cancelled operation completes as cancelled; with nothing to cancel nothing happens", async () => {
  const bench = new FakeIo();
  const { io, windows } = bench;
  const { kernel32 } = windows.libraries;
  windows.pipes.serve("\\\\.\\pipe\\a").add();
  const end = windows.pipes.open("\\\\.\\pipe\\a");
  const handle = windows.kernel.handles.add(end);
  io.port.attach(handle, "pipe");
  io.port.cancel(handle);
  const buffer = io.buffers.take(1);
  const reading = io.port.submit(({ overlapped }) => {
    const ok = kernel32.ReadFile(handle, buffer.address, 1, 0n, overlapped);
    return ok === 0 && kernel32.GetLastError() === 997 ? 0 : 1;
  });
  io.port.cancel(handle);
  assertEquals(await reading, -995);
  io.buffers.give(buffer);
  kernel32.CloseHandle(handle);
  assertEquals(await bench.end(), []);
});

Deno.test("a handle is attached once; the error names it", async () => {
  const bench = new FakeIo();
  const { io, windows } = bench;
  windows.pipes.serve("\\\\.\\pipe\\a").add();
  const end = windows.pipes.open("\\\\.\\pipe\\a");
  const handle = windows.kernel.handles.add(end);
  io.port.attach(handle, 'pipe "a"');
  assertThrows(
    () => io.port.attach(handle, 'pipe "a"'),
    HResultError,
    'Cannot wait for pipe "a": E_INVALIDARG (0x80070057)',
  );
  windows.libraries.kernel32.CloseHandle(handle);
  assertEquals(await bench.end(), []);
});

for (const pause of [0, 1, 5]) {
  Deno.test(`timers fire while completions never run dry, ${pause} steps between them`, async () => {
    const bench = new FakeIo();
    const { begin, post, slots } = manual(bench);
    let fired = false;
    const timer = setTimeout(() => fired = true, 0);
    let rounds = 0;
    while (!fired && rounds < 20_000) {
      const result = begin();
      post(slots.length - 1);
      await result;
      // What a stream and its user do with the result takes its turns, too.
      for (let step = 0; step < pause; step++) await undefined;
      rounds++;
    }
    clearTimeout(timer);
    assert(fired, `${rounds} operations kept the timer waiting`);
    assertEquals(await bench.end(), []);
  });
}

Deno.test("one wait for all operations, and none without any", async () => {
  const bench = new FakeIo();
  const { begin, post } = manual(bench);
  const results = Array.from({ length: 100 }, () => begin());
  await bench.idle();
  assertEquals(bench.port.waiting, 1);
  for (let index = 0; index < 100; index++) post(index);
  await Promise.all(results);
  await bench.idle();
  assertEquals([bench.port.waiting, bench.port.peak], [0, 1]);
  assertEquals(await bench.end(), []);
});

Deno.test("a port that is gone ends its operations, and begins no further ones", async () => {
  const bench = new FakeIo();
  const { begin, slots } = manual(bench);
  const results = [begin(), begin()];
  await bench.idle();
  bench.port.close();
  assertEquals(await Promise.all(results), [-735, -735]);
  // Windows may still write to what the lost operations had.
  assertEquals(await begin(), -735);
  assertEquals(slots.length, 2);
  assertEquals(bench.io.port.pending, 0);
  assertEquals(await bench.end(), []);
});

Deno.test("a port that cannot be made leaves nothing", () => {
  for (const symbol of ["CreateIoCompletionPort", "VirtualAlloc"]) {
    using windows = new FakeWindows();
    windows.calls.fail(symbol, 8);
    assertThrows(() => new CompletionPort(windows.libraries), ShimError);
    assertEquals(windows.leftovers(), []);
  }
});
