/**
 * Files of a bundle that are read whole.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { limits } from "../base/timeouts.ts";

/**
 * The text of a file of at most `limits.file` bytes.
 *
 * @throws {ShimError} ResourceExhausted for a larger one; it does not repeat the
 * path, which the caller's message has.
 * @throws {Deno.errors.NotFound} When there is none.
 */
export async function readText(path: string): Promise<string> {
  const { size } = await Deno.stat(path);
  if (size > limits.file) {
    throw new ShimError(
      "ResourceExhausted",
      `it has ${size} bytes, more than the ${limits.file} that are read`,
    );
  }
  return await Deno.readTextFile(path);
}
