/**
 * `delete` in the real world.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import { jsonLogger } from "../base/log.ts";
import type { Arguments } from "./args.ts";
import { deleteTask } from "./delete.ts";
import { loadMachine } from "./host.ts";
import { traceLaunch } from "./launch.ts";

/**
 * Runs `delete`.
 *
 * @returns The answer for standard output.
 */
export async function runDelete(args: Arguments): Promise<Uint8Array> {
  // containerd logs what `delete` writes to standard error as a warning.
  const print = (text: string): void =>
    void Deno.stderr.writeSync(new TextEncoder().encode(text));
  const machine = await loadMachine();
  await traceLaunch(machine.platform, { args: Deno.args });
  return await deleteTask(args, {
    platform: machine.platform,
    compute: async () =>
      (await machine.host(jsonLogger(print, { level: "warn" }))).compute,
    warn: (line) => print(`${line}\n`),
    clock: systemClock,
    timeouts: machine.timeouts,
  });
}
