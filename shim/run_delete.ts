/**
 * `delete` in the real world.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import { jsonLogger } from "../base/log.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import type { Arguments } from "./args.ts";
import { deleteTask } from "./delete.ts";
import { loadHost, loadPlatform } from "./host.ts";

/**
 * Runs `delete`.
 *
 * @returns The answer for standard output.
 */
export async function runDelete(args: Arguments): Promise<Uint8Array> {
  // containerd logs what `delete` writes to standard error as a warning.
  const print = (text: string): void =>
    void Deno.stderr.writeSync(new TextEncoder().encode(text));
  return await deleteTask(args, {
    platform: await loadPlatform(),
    compute: async () =>
      (await loadHost(jsonLogger(print, { level: "warn" }))).compute,
    warn: (line) => print(`${line}\n`),
    clock: systemClock,
    timeouts: defaultTimeouts,
  });
}
