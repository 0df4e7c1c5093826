/**
 * How much the heap grows when something is repeated. Needs
 * `--v8-flags=--expose-gc`, with which the suite `memory` runs.
 *
 * @module
 */

/** Bytes that the heap may grow by, however often something is repeated. */
export const budget = 1024 * 1024;

/** Part of the rounds after which everything is compiled, and buffers have their size. */
const warmUp = 0.1;

/** Bytes in use after everything that nobody holds has gone. */
async function heap(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new TypeError("Run with --v8-flags=--expose-gc");
  for (let round = 0; round < 3; round++) {
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    gc();
  }
  return Deno.memoryUsage().heapUsed;
}

/** Repeats something, and says by how many bytes the heap has grown. */
export async function growth(
  rounds: number,
  round: () => Promise<void>,
): Promise<number> {
  const warm = Math.floor(rounds * warmUp);
  for (let n = 0; n < warm; n++) await round();
  const before = await heap();
  for (let n = warm; n < rounds; n++) await round();
  return await heap() - before;
}
