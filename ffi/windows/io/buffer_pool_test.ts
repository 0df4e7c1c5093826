import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { FakeWindows } from "../../mock/windows/machine.ts";
import { BufferPool, largeBuffer, smallBuffer } from "./buffer_pool.ts";
import { allocate, free } from "./native_memory.ts";

function poolOf(windows: FakeWindows): BufferPool {
  return new BufferPool(windows.libraries.kernel32);
}

Deno.test("a buffer is small when that is enough, else large", () => {
  using windows = new FakeWindows();
  const pool = poolOf(windows);
  for (
    const [size, length] of [
      [0, smallBuffer],
      [1, smallBuffer],
      [smallBuffer, smallBuffer],
      [smallBuffer + 1, largeBuffer],
      [largeBuffer, largeBuffer],
      [10 * largeBuffer, largeBuffer],
    ] as const
  ) {
    const buffer = pool.take(size);
    assertEquals(buffer.bytes.length, length);
    pool.give(buffer);
  }
  pool.close();
  assertEquals(windows.leftovers(), []);
});

Deno.test("small buffers share a slab and do not overlap", () => {
  using windows = new FakeWindows();
  const pool = poolOf(windows);
  const buffers = Array.from({ length: 17 }, () => pool.take(1));
  assertEquals(windows.calls.made, ["VirtualAlloc", "VirtualAlloc"]);
  buffers.forEach(({ bytes }, index) => bytes.fill(index));
  for (const [index, { bytes, address }] of buffers.entries()) {
    assert(bytes.every((byte) => byte === index));
    const native = windows.kernel.memory.at("test", address, smallBuffer);
    assertEquals([native[0], native[smallBuffer - 1]], [index, index]);
  }
  for (const buffer of buffers) pool.give(buffer);
  pool.close();
  assertEquals(windows.leftovers(), []);
});

Deno.test("a buffer that was given back is lent again", () => {
  using windows = new FakeWindows();
  const pool = poolOf(windows);
  for (const size of [1, largeBuffer]) {
    const first = pool.take(size);
    pool.give(first);
    const second = pool.take(size);
    assertEquals(second.address, first.address);
    pool.give(second);
  }
  pool.close();
  assertEquals(windows.leftovers(), []);
});

Deno.test("the pool counts what is lent", () => {
  using windows = new FakeWindows();
  const pool = poolOf(windows);
  const buffers = [pool.take(1), pool.take(largeBuffer), pool.take(1)];
  assertEquals(pool.lent, 3);
  for (const buffer of buffers) pool.give(buffer);
  assertEquals(pool.lent, 0);
  pool.close();
});

Deno.test("at most 64 large buffers are kept", () => {
  using windows = new FakeWindows();
  const pool = poolOf(windows);
  const buffers = Array.from({ length: 66 }, () => pool.take(largeBuffer));
  for (const buffer of buffers) pool.give(buffer);
  const freed = windows.calls.made.filter((name) => name === "VirtualFree");
  assertEquals(freed.length, 2);
  pool.close();
  assertEquals(windows.leftovers(), []);
});

Deno.test("without memory no buffer is lent", () => {
  using windows = new FakeWindows();
  const pool = poolOf(windows);
  for (const size of [1, largeBuffer]) {
    windows.calls.fail("VirtualAlloc", 8);
    const error = assertThrows(
      () => pool.take(size),
      ShimError,
      "Cannot allocate 65536 bytes of native memory",
    );
    assertEquals(error.code, "ResourceExhausted");
  }
  assertEquals(pool.lent, 0);
  pool.close();
  assertEquals(windows.leftovers(), []);
});

Deno.test("both views of a piece of native memory are one", () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  const memory = allocate(kernel32, 4096);
  assert(memory.bytes.every((byte) => byte === 0));
  const native = windows.kernel.memory.at("test", memory.address, 4096);
  memory.bytes[7] = 1;
  native[8] = 2;
  assertEquals([native[7], memory.bytes[8]], [1, 2]);
  free(kernel32, memory);
  assertEquals(windows.leftovers(), []);
});

Deno.test("without memory the error says how much was wanted", () => {
  using windows = new FakeWindows();
  windows.calls.fail("VirtualAlloc", 8);
  const error = assertThrows(
    () => allocate(windows.libraries.kernel32, 4096),
    ShimError,
    "Cannot allocate 4096 bytes of native memory",
  );
  assertEquals(error.code, "ResourceExhausted");
});

Deno.test("a second free is an error", () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  const memory = allocate(kernel32, 1);
  free(kernel32, memory);
  const error = assertThrows(() => free(kernel32, memory), ShimError);
  assertEquals(error.code, "Internal");
});
