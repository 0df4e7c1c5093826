import { assertEquals, assertRejects } from "@std/assert";
import { memoryPair } from "../base/duplex.ts";
import { countedStream } from "./counted_stream.ts";
import { newShimMetrics, type ShimMetrics } from "./metrics.ts";
import { noGauges } from "./testing.ts";

function bytes(metrics: ShimMetrics): string[] {
  return metrics.text(noGauges).split("\n").filter((line) =>
    line.startsWith("lcow_stdio_bytes_total")
  );
}

Deno.test("countedStream() counts what is read and what is written, and closes with its stream", async () => {
  const metrics = newShimMetrics();
  const [near, far] = memoryPair();
  const stdout = countedStream(near, "stdout", metrics);
  await stdout.write(new Uint8Array(5));
  await stdout.write(new Uint8Array(6));
  const stdin = countedStream(far, "stdin", metrics);
  assertEquals(await stdin.read(new Uint8Array(100)), 5);
  await stdout.closeWrite();
  assertEquals(await stdin.read(new Uint8Array(100)), 6);
  assertEquals(await stdin.read(new Uint8Array(100)), null);
  await stdout.close();
  await assertRejects(() => stdout.write(new Uint8Array(7)));
  await stdin.close();
  assertEquals(bytes(metrics), [
    'lcow_stdio_bytes_total{stream="stdout"} 11',
    'lcow_stdio_bytes_total{stream="stdin"} 11',
  ]);
});
