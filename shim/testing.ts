/**
 * What the tests of this folder share.
 *
 * @module
 */

import type { Gauges } from "../base/metrics.ts";
import type { shimMetrics } from "./metrics.ts";

/** Gauges that show nothing, for tests of what is counted. */
export const noGauges: Gauges<typeof shimMetrics> = {
  rpcsInFlight: [],
  bridgeInFlight: [],
  sandboxes: [],
  tasks: [],
  execs: [],
  residentMemory: [],
  startTime: [],
  uptime: [],
};

/**
 * Runs `task` with a bundle directory that holds these files.
 *
 * @param files Contents by name.
 */
export async function withBundle(
  files: Readonly<Record<string, string>>,
  task: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "lcow-bundle-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${directory}/${name}`, text);
    }
    await task(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
