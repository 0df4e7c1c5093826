/**
 * Files that are read whole, up to a limit.
 *
 * @module
 */

import { ShimError } from "./errors.ts";
import { limits } from "./timeouts.ts";

/**
 * The bytes of a file of at most `limits.file` bytes.
 *
 * @throws {ShimError} ResourceExhausted for a larger one; it does not repeat the
 * path, which the caller's message has.
 * @throws {Deno.errors.NotFound} When there is none.
 */
export async function readBytes(
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await Deno.stat(path);
  if (size > limits.file) {
    throw new ShimError(
      "ResourceExhausted",
      `it has ${size} bytes, more than the ${limits.file} that are read`,
    );
  }
  return await Deno.readFile(path);
}

/** The text of a file, see {@linkcode readBytes}. */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}
