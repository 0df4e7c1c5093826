/**
 * Streams of clients whose bytes are counted.
 *
 * @module
 */

import type { Duplex } from "../base/duplex.ts";
import type { StdioName } from "../hcs/stdio.ts";
import type { ShimMetrics } from "./metrics.ts";

/**
 * The same stream; the bytes that go through it are counted.
 *
 * @param stream A stream of a client; closed with the result.
 * @param name Which one it is.
 * @param metrics Where it is counted.
 */
export function countedStream(
  stream: Duplex,
  name: StdioName,
  metrics: ShimMetrics,
): Duplex {
  const count = (bytes: number): void =>
    metrics.add("stdioBytes", [name], bytes);
  return {
    read: async (buffer) => {
      const n = await stream.read(buffer);
      if (n !== null) count(n);
      return n;
    },
    write: async (bytes) => {
      await stream.write(bytes);
      count(bytes.length);
    },
    closeWrite: () => stream.closeWrite(),
    close: () => stream.close(),
  };
}
