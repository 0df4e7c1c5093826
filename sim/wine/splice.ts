/**
 * Joins two streams.
 *
 * @module
 */

import type { Duplex } from "../../base/duplex.ts";
import { pump } from "../../base/pump.ts";

async function direction(source: Duplex, sink: Duplex): Promise<void> {
  const { ended, error } = await pump(source, sink);
  if (ended === "source-failed") throw error;
  // Who takes nothing any more may still have said something before: the other
  // direction comes to its own end.
  if (ended === "source") await sink.closeWrite();
}

/**
 * Copies in both directions until both have ended; the end of one direction
 * reaches the other side as such. Closes both streams.
 *
 * @throws What a stream failed with, other than its peer's leaving.
 */
export async function splice(a: Duplex, b: Duplex): Promise<void> {
  const close = async (): Promise<void> => {
    await Promise.all([a.close(), b.close()]);
  };
  const ends = [direction(a, b), direction(b, a)];
  try {
    await Promise.all(ends);
  } finally {
    // With one direction failed, the other would wait for an end that may not come.
    await close();
    await Promise.allSettled(ends);
  }
}
