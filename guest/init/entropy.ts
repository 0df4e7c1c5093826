/**
 * Entropy from the host: a new machine has little of its own.
 *
 * @module
 */

import { type Clock, deadline } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";

/** What is taken at most; the host sends 512 bytes. */
const maxBytes = 64 * 1024;

/** Milliseconds until the host was reached and has sent everything. */
const limit = 5_000;

/** What entropy is taken with; tests replace it. */
export interface EntropyPorts {
  /** Reaches the host. */
  readonly dial: (port: number) => Promise<Duplex>;
  /** Adds bytes to the random pool. */
  readonly add: (bytes: Uint8Array) => void;
  /** Time. */
  readonly clock: Clock;
}

async function readAll(stream: Duplex): Promise<Uint8Array> {
  const bytes = new Uint8Array(maxBytes);
  let filled = 0;
  while (filled < maxBytes) {
    const n = await stream.read(bytes.subarray(filled));
    if (n === null) break;
    filled += n;
  }
  return bytes.subarray(0, filled);
}

/**
 * Takes what a port of the host gives until its end.
 *
 * @returns How many bytes were added.
 * @throws When the host cannot be reached, or sends no end in time.
 */
export async function takeEntropy(
  port: number,
  { dial, add, clock }: EntropyPorts,
): Promise<number> {
  const dialed = dial(port);
  try {
    const bytes = await deadline(
      clock,
      limit,
      "the host's entropy",
      async () => await readAll(await dialed),
    );
    if (bytes.length > 0) add(bytes);
    return bytes.length;
  } finally {
    // Also one that comes too late; its failure has been told.
    dialed.then((stream) => stream.close()).catch(() => {});
  }
}
