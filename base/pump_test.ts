import { assertEquals, assertStrictEquals } from "@std/assert";
import { memoryPair } from "./duplex.ts";
import { pump } from "./pump.ts";

Deno.test("pump() copies everything until the source ends", async () => {
  const [writer, source] = memoryPair();
  const [sink, reader] = memoryPair();
  const pumping = pump(source, sink);
  const collect = (async () => {
    const buffer = new Uint8Array(100_000);
    let total = 0;
    for (;;) {
      const n = await reader.read(buffer);
      if (n === null) return total;
      total += n;
    }
  })();
  await writer.write(new Uint8Array(3_000_000));
  await writer.closeWrite();
  assertEquals(await pumping, { bytes: 3_000_000, ended: "source" });
  await sink.closeWrite();
  assertEquals(await collect, 3_000_000);
});

Deno.test("pump() says which side failed", async () => {
  const failure = new Error("broken");
  const source = { read: () => Promise.reject(failure) };
  const [sink, reader] = memoryPair();
  const result = await pump(source, sink);
  assertEquals(result.ended, "source-failed");
  assertStrictEquals(result.error, failure);
  await reader.close();
  const full = { read: () => Promise.resolve(1) };
  assertEquals((await pump(full, sink)).ended, "sink-failed");
});
