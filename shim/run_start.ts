/**
 * `start` in the real world: this process' input, environment and clock.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import type { Arguments } from "./args.ts";
import { loadMachine } from "./host.ts";
import { traceLaunch } from "./launch.ts";
import { start } from "./start.ts";
import { readStandardInput } from "./stdin.ts";

/**
 * Runs `start`.
 *
 * @returns The answer for standard output.
 */
export async function runStart(args: Arguments): Promise<Uint8Array> {
  const { platform, timeouts } = await loadMachine();
  const traced = traceLaunch(platform, { args: Deno.args });
  const answer = await start(args, {
    platform,
    bundle: Deno.cwd(),
    readInput: readStandardInput,
    env: (name) => Deno.env.get(name),
    containerdMajor: async (path, signal) => {
      const { containerdMajor } = await import("./containerd_version.ts");
      return await containerdMajor(path, signal);
    },
    clock: systemClock,
    timeouts,
  });
  await traced;
  return answer;
}
