/**
 * What the init of a utility VM does on the host's sockets before the agent
 * runs: take entropy, and connect the agent's standard error.
 *
 * @module
 */

import { connDuplex, type Duplex } from "../base/duplex.ts";
import { messageOf, ShimError } from "../base/errors.ts";

/** What hosts send; a real init takes any number. */
const entropyLength = 512;

/** Dials a port of the host. */
async function dial(folder: string, port: number): Promise<Duplex> {
  try {
    const path = `${folder}/v/${port}`;
    return connDuplex(await Deno.connect({ transport: "unix", path }));
  } catch (cause) {
    throw new ShimError(
      "Unavailable",
      `The host does not listen on port ${port}: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/**
 * Takes the entropy: connects and reads to the end.
 *
 * @throws {ShimError} Unavailable when nobody listens, DataLoss when it is not
 * 512 bytes; the signal's reason.
 */
export async function takeEntropy(
  folder: string,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const stream = await dial(folder, port);
  const stop = (): void => void stream.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    let taken = 0;
    const buffer = new Uint8Array(entropyLength + 1);
    for (let n; (n = await stream.read(buffer)) !== null;) taken += n;
    signal.throwIfAborted();
    if (taken !== entropyLength) {
      throw new ShimError(
        "DataLoss",
        `The host gave ${taken} bytes of entropy on port ${port} instead of ${entropyLength}`,
      );
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await stream.close();
  }
}

/**
 * Copies everything to a port of the host; bytes are dropped once it hangs up,
 * and when there is no such port.
 */
export async function relayLog(
  source: ReadableStream<Uint8Array>,
  stream: Duplex | undefined,
): Promise<void> {
  let isOpen = stream !== undefined;
  for await (const chunk of source) {
    if (!isOpen) continue;
    try {
      await stream?.write(chunk);
    } catch {
      isOpen = false;
    }
  }
  await stream?.close();
}

/** Connects the log port. @throws {ShimError} Unavailable when nobody listens. */
export function dialLog(folder: string, port: number): Promise<Duplex> {
  return dial(folder, port);
}

/** A line as the agent itself would log it. */
export function initLine(error: unknown): Uint8Array {
  const line = {
    time: new Date().toISOString(),
    level: "error",
    msg: `init: ${messageOf(error)}`,
  };
  return new TextEncoder().encode(JSON.stringify(line) + "\n");
}
