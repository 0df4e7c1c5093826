/**
 * Standard input of the modes that containerd feeds.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { limits } from "../base/timeouts.ts";

/**
 * Reads standard input to its end. A terminal is not read: a person who tries
 * the program has nothing to say to it.
 *
 * @throws {ShimError} ResourceExhausted beyond the size of a file that is read whole.
 */
export async function readStandardInput(): Promise<Uint8Array> {
  if (Deno.stdin.isTerminal()) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const n = await Deno.stdin.read(buffer);
    if (n === null) break;
    length += n;
    if (length > limits.file) {
      throw new ShimError(
        "ResourceExhausted",
        `Standard input has more than the ${limits.file} bytes that are read`,
      );
    }
    chunks.push(buffer.slice(0, n));
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
