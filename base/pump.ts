/**
 * Copies bytes from one stream to another. The one class for all stdio, so that
 * a copy inside the kernel can replace its loop later.
 *
 * @module
 */

import type { Duplex } from "./duplex.ts";

/** Bytes per read. Pipes of Linux hold 64 KiB by default. */
const chunk = 64 * 1024;

/** How a pump ended. */
export interface PumpResult {
  /** Bytes copied. */
  readonly bytes: number;
  /** Which side ended it: the source ended, or a side failed. */
  readonly ended: "source" | "source-failed" | "sink-failed";
  /** The failure, if any. */
  readonly error?: unknown;
}

/**
 * Copies until the source ends or a side fails. Closes neither side.
 *
 * @returns How it ended; never rejects.
 */
export async function pump(
  source: Pick<Duplex, "read">,
  sink: Pick<Duplex, "write">,
): Promise<PumpResult> {
  const buffer = new Uint8Array(chunk);
  let bytes = 0;
  for (;;) {
    let n: number | null;
    try {
      n = await source.read(buffer);
    } catch (error) {
      return { bytes, ended: "source-failed", error };
    }
    if (n === null) return { bytes, ended: "source" };
    try {
      await sink.write(buffer.subarray(0, n));
    } catch (error) {
      return { bytes, ended: "sink-failed", error };
    }
    bytes += n;
  }
}
