import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { MockHeap, readParameter } from "../../mock/heap.ts";
import { decodeUtf16, encodeUtf16, readUtf16, takeUtf16 } from "./utf16.ts";

const texts = [
  "",
  "pod1@vm",
  "box-é-1",
  "日本語",
  "disk 💾.vhdx",
  "\uFEFFkept mark",
  "x".repeat(100_000),
];

for (const text of texts) {
  const name = JSON.stringify(text.slice(0, 20));
  Deno.test(`encodeUtf16 and decodeUtf16 keep ${name}`, () => {
    const units = encodeUtf16(text);
    assertEquals(units.length, text.length + 1);
    assertEquals(units.at(-1), 0);
    assertEquals(decodeUtf16(units.subarray(0, -1)), text);
    assertEquals(readParameter(units), text);
  });

  Deno.test(`takeUtf16 reads and frees ${name}`, () => {
    const heap = new MockHeap();
    const out = new BigUint64Array([heap.text(text)]);
    assertEquals(takeUtf16(out, heap), text);
    assertEquals([heap.live, heap.allocated, heap.freed], [0, 1, 1]);
    assertEquals(takeUtf16(out, heap), null, "a second take frees nothing");
    assertEquals(heap.freed, 1);
  });
}

Deno.test("encodeUtf16 writes little-endian units and the NUL", () => {
  const bytes = new Uint8Array(encodeUtf16("aé").buffer);
  assertEquals(bytes.toHex(), "6100" + "e900" + "0000");
});

Deno.test("encodeUtf16 refuses a NUL, at which Windows would stop reading", () => {
  assertThrows(() => encodeUtf16("pod\0@vm"), ShimError, '"pod\\u0000@vm"');
});

Deno.test("a lone surrogate of a foreign string becomes U+FFFD", () => {
  const heap = new MockHeap();
  const out = new BigUint64Array([heap.text("a\ud800b")]);
  assertEquals(takeUtf16(out, heap), "a\ufffdb");
});

Deno.test("readUtf16 of a null pointer is null and frees nothing", () => {
  const heap = new MockHeap();
  assertEquals(readUtf16(null, heap), null);
  assertEquals(heap.freed, 0);
});

Deno.test("takeUtf16 frees the string even when it cannot be read", () => {
  const heap = new MockHeap();
  const out = new BigUint64Array([heap.text("x")]);
  const memory = {
    lstrlenW: () => {
      throw new Error("unreadable");
    },
    free: (pointer: Deno.PointerValue) => heap.free(pointer),
  };
  assertThrows(() => takeUtf16(out, memory), Error, "unreadable");
  assertEquals([heap.live, out[0]], [0, 0n]);
});

Deno.test("the mock heap notices a double free and a foreign address", () => {
  const heap = new MockHeap();
  const pointer = Deno.UnsafePointer.create(heap.text("x"));
  heap.free(pointer);
  assertThrows(() => heap.free(pointer), ShimError, "no live string");
  assertThrows(() => heap.lstrlenW(pointer), ShimError, "no live string");
});
